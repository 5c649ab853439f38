import type { LogBase } from '../../src/raft/index.ts';
import {
  asClusterId,
  asIncarnation,
  asIndex,
  asNodeId,
  asTerm,
  codeOf,
  utf8,
} from '../../src/shared/index.ts';
import {
  installSnapshot,
  openSnapshot,
  openSnapshotReceiver,
  openStateEngine,
  spoolSnapshot,
  stateDirectory,
  writeFully,
} from '../../src/storage/index.ts';
import type {
  Files,
  InstalledState,
  KvFactory,
  SnapshotMeta,
  SnapshotReceiver,
  SpoolableEngine,
  StoredSnapshot,
} from '../../src/storage/index.ts';

/** Databases, files and an empty directory on both. */
export interface SnapshotPlace {
  readonly factory: KvFactory;
  readonly files: Files;
  readonly root: string;
}

export const clusterId = asClusterId('00112233445566778899aabbccddeeff');

/** Of the state in the snapshots, as its engine was told. */
export const digest = 0xfeed_beef;

/** A base at `index` in term 3 with one member. */
export const baseAt = (index: number): LogBase => ({
  index: asIndex(index),
  term: asTerm(3),
  configuration: {
    index: asIndex(1),
    configuration: {
      members: [
        {
          nodeId: asNodeId('n1'),
          incarnation: asIncarnation('0123456789abcdef'),
          role: 'voter',
          zone: 'z1',
          raftAddress: 'n1:1',
          httpAddress: 'n1:2',
          gossipAddress: 'n1:3',
        },
      ],
      outgoingVoters: [],
      removed: [],
    },
  },
});

export const rowOf = (i: number): Uint8Array => utf8(`\u0001row-${String(i).padStart(4, '0')}`);
export const valueOf = (i: number): Uint8Array => new Uint8Array(i % 97).fill(i);

/** The code of what an action fails with, or the error itself. */
export const codeFrom = (action: Promise<unknown>): Promise<unknown> =>
  action.then(
    () => 'no error',
    (error: unknown) => codeOf(error) ?? error,
  );

/** A node with 500 rows at index 7 in generation 0. */
export class SnapshotBench {
  readonly place: SnapshotPlace;
  readonly outbox: string;
  readonly inbox: string;
  engine: SpoolableEngine;
  readonly #opened: StoredSnapshot[] = [];

  static async make(place: SnapshotPlace): Promise<SnapshotBench> {
    const bench = new SnapshotBench(place, await openGeneration(place, 0));
    const writes = Array.from({ length: 500 }, (_, i) => ({ row: rowOf(i), value: valueOf(i) }));
    bench.engine.enqueue(asIndex(7), writes, digest);
    await bench.engine.flush();
    return bench;
  }

  constructor(place: SnapshotPlace, engine: SpoolableEngine) {
    this.place = place;
    this.engine = engine;
    this.outbox = `${place.root}/outbox`;
    this.inbox = `${place.root}/inbox`;
  }

  async end(): Promise<void> {
    for (const snapshot of this.#opened) await snapshot.close().catch(() => undefined);
    await this.engine.close().catch(() => undefined);
  }

  openGeneration(generation: number): Promise<SpoolableEngine> {
    return openGeneration(this.place, generation);
  }

  async spool(signal?: AbortSignal): Promise<string> {
    const { path } = await spoolSnapshot({
      engine: this.engine,
      files: this.place.files,
      directory: this.outbox,
      clusterId,
      baseAt,
      chunkBytes: 4096,
      ...(signal && { signal }),
    });
    return path;
  }

  /** Closed after each test. */
  async open(path: string): Promise<StoredSnapshot> {
    const snapshot = await openSnapshot(this.place.files, path);
    this.#opened.push(snapshot);
    return snapshot;
  }

  install(snapshot: StoredSnapshot, generation: number): Promise<InstalledState> {
    const { factory: kvFactory, root: dataDirectory } = this.place;
    return installSnapshot({ snapshot, kvFactory, dataDirectory, generation });
  }

  receive(meta: SnapshotMeta): Promise<SnapshotReceiver> {
    return openSnapshotReceiver({ files: this.place.files, directory: this.inbox, meta });
  }

  /** Reads all of a snapshot, as an install does. */
  async readEverything(path: string): Promise<void> {
    await this.install(await this.open(path), 9);
  }

  async flip(path: string, position: number): Promise<void> {
    const file = await this.place.files.open(path, 'plain');
    const [byte = 0] = await file.read(position, 1);
    await writeFully(file, position, Uint8Array.of(byte ^ 0x40));
    await file.close();
  }
}

const openGeneration = (place: SnapshotPlace, generation: number): Promise<SpoolableEngine> =>
  openStateEngine({
    kvFactory: place.factory,
    directory: stateDirectory(place.root, generation),
    onFailure: () => undefined,
  });

export async function rowsIn(engine: SpoolableEngine): Promise<Map<string, Uint8Array>> {
  const rows = new Map<string, Uint8Array>();
  await engine.load(
    (row, value) => rows.set(Buffer.from(row).toString(), Uint8Array.from(value)),
    [{}],
  );
  return rows;
}
