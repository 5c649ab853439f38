import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';

import { MemoryDisk, MemoryKvDisk, nodeFiles, rocksKvFactory } from '../../../src/storage/index.ts';
import type { Files, KvFactory } from '../../../src/storage/index.ts';

export interface Place {
  readonly factory: KvFactory;
  readonly files: Files;
  /** An empty directory. */
  readonly root: string;
}

export async function memoryPlace(): Promise<Place> {
  const files = new MemoryDisk().mount();
  await files.makeDirectory('/data');
  return { factory: new MemoryKvDisk().mount(), files, root: '/data' };
}

const made: string[] = [];

export function rocksPlace(): Promise<Place> {
  const root = mkdtempSync(`${tmpdir()}/quorate-storage-`);
  made.push(root);
  return Promise.resolve({ factory: rocksKvFactory(), files: nodeFiles(), root });
}

/** For `after`: deletes what `rocksPlace` made. */
export function removePlaces(): void {
  for (const root of made.splice(0)) rmSync(root, { recursive: true, force: true });
}

/** Changes a byte in the middle of the write-ahead log of a closed RocksDB. */
export function damageWriteAheadLog(directory: string): void {
  const [name = ''] = readdirSync(directory).filter((file) => file.endsWith('.log'));
  const bytes = readFileSync(`${directory}/${name}`);
  const middle = bytes.length >>> 1;
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  writeFileSync(`${directory}/${name}`, bytes);
}
