// Reads YAML documents or a JSON list of entities from stdin and says of each what Backstage's validators think of it: one JSON line per
// document, {"ref": ..., "error": ...}. Beside the validators it holds entities to what the catalogue does before them: documents that parse
// without a warning, no placeholder ($text, $json, $yaml), no link but http and https.
import { readFileSync } from 'node:fs';
import {
  apiEntityV1alpha1Validator, componentEntityV1alpha1Validator, DefaultNamespaceEntityPolicy, domainEntityV1alpha1Validator, EntityPolicies, FieldFormatEntityPolicy, groupEntityV1alpha1Validator,
  locationEntityV1alpha1Validator, NoForeignRootFieldsEntityPolicy, parseEntityRef, resourceEntityV1alpha1Validator, SchemaValidEntityPolicy, stringifyEntityRef, systemEntityV1alpha1Validator,
  userEntityV1alpha1Validator,
} from '@backstage/catalog-model';
import { parseAllDocuments } from 'yaml';

const kinds = [apiEntityV1alpha1Validator, componentEntityV1alpha1Validator, domainEntityV1alpha1Validator, groupEntityV1alpha1Validator, locationEntityV1alpha1Validator,
  resourceEntityV1alpha1Validator, systemEntityV1alpha1Validator, userEntityV1alpha1Validator];
const policy = EntityPolicies.allOf([new SchemaValidEntityPolicy(), new DefaultNamespaceEntityPolicy(), new NoForeignRootFieldsEntityPolicy(), new FieldFormatEntityPolicy()]);
const owners = { owner: 'group', system: 'system', memberOf: 'group', children: 'group' };

const placeholders = (value) => {
  if (Array.isArray(value)) return value.some(placeholders);
  if (value === null || typeof value !== 'object') return false;
  return Object.entries(value).some(([key, inner]) => key.startsWith('$') || placeholders(inner));
};

const check = async (raw) => {
  const entity = await policy.enforce(raw);
  let known = false;
  for (const kind of kinds) known = (await kind.check(entity)) || known;
  if (!known) throw new Error('no validator knows its kind');
  if (placeholders(entity)) throw new Error('a key begins with $');
  for (const link of entity.metadata.links ?? []) if (!/^https?:$/.test(new URL(link.url).protocol)) throw new Error(`link to ${link.url}`);
  for (const [field, kind] of Object.entries(owners)) for (const ref of [entity.spec[field] ?? []].flat()) parseEntityRef(ref, { defaultKind: kind, defaultNamespace: 'default' });
  for (const ref of entity.spec.dependsOn ?? []) parseEntityRef(ref);
  return stringifyEntityRef(entity);
};

const text = readFileSync(0, 'utf8');
const documents = text.startsWith('[') ? JSON.parse(text).map((value) => ({ value, errors: [], warnings: [] }))
  : parseAllDocuments(text, { maxAliasCount: 0 }).map((d) => ({ value: d.toJS(), errors: d.errors, warnings: d.warnings }));
for (const d of documents) {
  const line = { ref: '', error: '', entity: d.value };
  try {
    const trouble = [...d.errors, ...d.warnings][0];
    if (trouble) throw trouble;
    line.ref = await check(d.value);
  } catch (e) {
    line.error = String(e?.message ?? e);
  }
  console.log(JSON.stringify(line));
}
