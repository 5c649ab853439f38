import {
  defaultLogSettings,
  nodeFiles,
  readOnlyRocksKvFactory,
  rocksKvFactory,
} from '../../storage/index.ts';
import { systemRandom } from '../system.ts';
import type { OfflineInit } from './data-at-rest.ts';

/** The disk of this machine. */
export const systemOffline = (
  output: Pick<OfflineInit, 'writeOut' | 'writeError'>,
): OfflineInit => ({
  files: nodeFiles(),
  kvFactory: rocksKvFactory(),
  readOnlyKvFactory: readOnlyRocksKvFactory(),
  logSettings: defaultLogSettings,
  random: systemRandom,
  ...output,
});
