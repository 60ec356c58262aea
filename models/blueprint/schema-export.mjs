// Writes schema.zip: one JSON file per service with its resource types and the property
// types they use. schema.md says when and how to run it.
import spec from '@aws-cdk/aws-service-spec';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const target = process.argv[2];
if (!target) throw new Error('usage: node schema-export.mjs FILE.zip');
const db = await spec.loadAwsServiceSpec();
const limits = ['allowedValues', 'pattern', 'minLength', 'maxLength', 'minimum', 'maximum'];

// exporter collects the named types that one service's properties lead to.
function exporter() {
  const types = {};
  function shape(t) {
    switch (t?.type) {
      case undefined: return { t: 'unknown' };
      case 'array': case 'map': return { t: t.type, e: shape(t.element) };
      case 'union': return { t: 'union', u: t.types.map(shape) };
      case 'ref': {
        const id = t.reference.$ref;
        if (!(id in types)) {
          const definition = db.get('typeDefinition', id);
          types[id] = null; // a type may hold itself
          types[id] = { n: definition.name, p: properties(definition.properties) };
        }
        return { t: 'ref', r: id };
      }
      default: {
        const given = limits.filter((k) => t[k] !== undefined);
        return { t: t.type, ...Object.fromEntries(given.map((k) => [k, t[k]])) };
      }
    }
  }
  function properties(all = {}) {
    return Object.fromEntries(Object.entries(all).map(([name, p]) => [name, {
      ty: shape(p.type),
      ...(p.required && { req: 1 }),
      ...(p.causesReplacement && p.causesReplacement !== 'no' && { rep: p.causesReplacement }),
    }]));
  }
  return { types, properties };
}

const services = new Map();
for (const r of db.all('resource')) {
  const name = r.cloudFormationType.split('::').slice(0, 2).join('-');
  services.set(name, [...(services.get(name) ?? []), r]);
}
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'schema-'));
for (const [name, list] of services) {
  const { types, properties } = exporter();
  const resources = Object.fromEntries(list.map((r) => [r.cloudFormationType, {
    id: r.primaryIdentifier,
    ref: r.cfnRefIdentifier,
    att: Object.keys(r.attributes ?? {}),
    tag: r.tagInformation?.tagPropertyName,
    p: properties(r.properties),
  }]));
  fs.writeFileSync(path.join(folder, `${name}.json`), JSON.stringify({ resources, types }));
}
fs.rmSync(target, { force: true });
execFileSync('zip', ['-q', '-X', '-9', '-j', '-r', path.resolve(target), folder]);
fs.rmSync(folder, { recursive: true });
