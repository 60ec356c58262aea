export { default, frameOf } from './plugin';
export { SlipwayFrame } from './SlipwayFrame';
