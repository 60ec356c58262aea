// What a frame of Slipway and the page around it say to each other.

/** How high the frame's content is, in CSS pixels. */
export type Height = { type: 'slipway:height'; height: number };

/** Told to the frame: the theme of the page around it. */
export type Theme = { type: 'slipway:theme'; theme: 'light' | 'dark' };

/** Less than this is a frame that is not laid out yet. */
const leastHeight = 50;
const mostHeight = 20_000;

/** Reads what a frame said; undefined for anything else. */
export function heard(data: unknown): Height | undefined {
  if (typeof data !== 'object' || data === null || !('type' in data)) return undefined;
  if (data.type !== 'slipway:height' || !('height' in data) || typeof data.height !== 'number') return undefined;
  if (!(data.height >= leastHeight && data.height <= mostHeight)) return undefined;
  return { type: 'slipway:height', height: Math.ceil(data.height) };
}
