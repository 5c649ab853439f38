export { parseConfig } from './config.ts';
export type { Config, Layer } from './config.ts';
export { flags } from './flags.ts';
export { environmentLayer, fileLayer, flagNamed } from './layers.ts';
export type { FieldName } from './schema.ts';
