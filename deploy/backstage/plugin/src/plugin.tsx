import type { Entity } from '@backstage/catalog-model';
import { createFrontendPlugin } from '@backstage/frontend-plugin-api';
import { useEntity } from '@backstage/plugin-catalog-react';
import { EntityCardBlueprint, EntityContentBlueprint } from '@backstage/plugin-catalog-react/alpha';
import { SlipwayFrame } from './SlipwayFrame';

/** The annotations with the complete addresses of what Slipway shows of an entity: how it is, and what it costs. */
const annotations = { status: 'slipway.dev/embed-url', costs: 'slipway.dev/embed-costs-url' };
type What = keyof typeof annotations;

/** The frame of an entity; undefined when there is none, or its address is no web address. */
export function frameOf(entity: Entity, what: What = 'status'): string | undefined {
  const url = entity.metadata.annotations?.[annotations[what]];
  return url && /^https?:\/\//.test(url) && URL.canParse(url) ? url : undefined;
}

function EntityFrame(props: { what: What }) {
  const { entity } = useEntity();
  const url = frameOf(entity, props.what);
  if (!url) return null;
  return <SlipwayFrame key={url} url={url} title={`${entity.metadata.title ?? entity.metadata.name} in Slipway`} />;
}

const has = (what: What) => (entity: Entity) => frameOf(entity, what) !== undefined;

/** On the overview of an entity. Off until the app's configuration names it: the tab shows the same. */
const card = EntityCardBlueprint.make({
  name: 'status',
  disabled: true,
  params: { filter: has('status'), type: 'content', loader: async () => <EntityFrame what="status" /> },
});

/** The tab Slipway of an entity. */
const tab = EntityContentBlueprint.make({
  name: 'slipway',
  params: { path: '/slipway', title: 'Slipway', filter: has('status'), loader: async () => <EntityFrame what="status" /> },
});

/** The tab Costs of a tenant. */
const costs = EntityContentBlueprint.make({
  name: 'costs',
  params: { path: '/slipway-costs', title: 'Costs', filter: has('costs'), loader: async () => <EntityFrame what="costs" /> },
});

export default createFrontendPlugin({ pluginId: 'slipway', extensions: [card, tab, costs] });
