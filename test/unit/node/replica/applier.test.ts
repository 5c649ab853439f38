import { expect } from 'chai';
import { AppliedHistory } from '../../../../src/node/replica/applied-history.ts';
import { Applier } from '../../../../src/node/replica/applier.ts';
import { DigestMarks } from '../../../../src/node/replica/digest-marks.ts';
import { EntryCache } from '../../../../src/node/replica/entry-cache.ts';
import type { Entry, LogStore } from '../../../../src/raft/index.ts';
import { asIndex, asTerm, codeOf, utf8 } from '../../../../src/shared/index.ts';
import { MemoryKvDisk, openStateEngine } from '../../../../src/storage/index.ts';
import type {
  KvFactory,
  SpoolableEngine,
  StateEngineSettings,
} from '../../../../src/storage/index.ts';
import type { Envelope } from '../../../../src/store/index.ts';
import {
  decodeBatch,
  encodeBatch,
  encodeEnvelope,
  StateMachine,
} from '../../../../src/store/index.ts';
import { emptyBase } from '../../../contract/log-store-support.ts';
import { envelope, put } from '../../store/harness.ts';

const commandAt = (index: number, envelopes: readonly Envelope[]): Entry => ({
  index: asIndex(index),
  term: asTerm(1),
  kind: 'command',
  payload: encodeBatch({ timeMs: 1_000_000, envelopes: envelopes.map(encodeEnvelope) }),
});

const open = (
  kvFactory: KvFactory,
  settings: Partial<StateEngineSettings> = {},
): Promise<SpoolableEngine> =>
  openStateEngine({ kvFactory, settings, directory: '/data/state-0', onFailure: () => undefined });

/** An applier of committed entries above an engine in memory. */
class Below {
  readonly cache = new EntryCache(1 << 20);
  readonly engine: SpoolableEngine;
  readonly machine = new StateMachine();
  readonly applier: Applier;
  /** What its owner heard of, in order. */
  readonly heard: unknown[] = [];

  constructor(engine: SpoolableEngine) {
    this.engine = engine;
    const { machine } = this;
    machine.finishLoad(asIndex(0));
    const log = { read: () => Promise.reject(new Error('all is in memory')) };
    this.applier = new Applier(
      {
        log: log as unknown as LogStore,
        cache: this.cache,
        history: new AppliedHistory({ base: emptyBase, termRuns: [], configurations: [] }),
        marks: new DigestMarks(),
        onApplied: (index) => this.heard.push(index),
        onNotices: () => undefined,
        onFatal: (error) => this.heard.push(error),
      },
      { machine, engine },
    );
  }

  static async on(settings: Partial<StateEngineSettings> = {}): Promise<Below> {
    return new Below(await open(new MemoryKvDisk().mount(), settings));
  }

  /** Applies the entries, all of them committed, and waits for the last one or the end. */
  async apply(entries: readonly Entry[]): Promise<void> {
    const last = entries.at(-1)?.index ?? asIndex(0);
    this.cache.put(entries);
    this.applier.applyUpTo(last);
    const isDone = (): boolean => this.applier.appliedIndex >= last;
    const hasFailed = (): boolean => this.heard.some((one) => one instanceof Error);
    while (!isDone() && !hasFailed()) await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('Applier', () => {
  it('waits for a full engine within a chunk, so that rows larger than entries fit', async () => {
    const below = await Below.on({ backlogBytesMax: 10_000, batchBytes: 4_000 });
    const sessions = Array.from({ length: 10 }, (_, i) => `session${i}`);
    // Each refusal writes the row of its session again, with all answers before it.
    const refusals = (sequence: number): Envelope[] =>
      sessions.map((session) => envelope({ then: [put('', 'x')], session, sequence }));
    const entries = Array.from({ length: 64 }, (_, i) => commandAt(i + 1, refusals(i + 1)));
    await below.apply(entries);
    expect(below.heard.at(-1)).to.equal(64);
    expect(await below.engine.flush()).to.equal(64);
  });

  it('keeps a value that was in memory when the others were asked for, whatever is read meanwhile', async () => {
    const below = await Below.on({ cacheBytesMax: 8_000 });
    // More than one read of the database fetches.
    const same = Array.from({ length: 200 }, (_, i) => envelope({ then: [put(`k${i}`, 'x')] }));
    const large = Array.from({ length: 20 }, (_, i) => put(`large${i}`, 'x'.repeat(1_000)));
    await below.apply([commandAt(1, same), commandAt(2, [envelope({ then: large })])]);
    await below.engine.flush();
    const rowsOf = (prefix: string): Uint8Array[] =>
      [...below.machine.keys({ prefix: utf8(prefix) })].map(({ valueRow }) => valueRow);
    await below.engine.readMany(rowsOf('large'));
    await below.engine.readMany(rowsOf('k0'));
    const applied = below.apply([commandAt(3, same)]);
    await Promise.all([applied, below.engine.readMany(rowsOf('large'))]);
    expect(below.heard.at(-1)).to.equal(3);
  });

  it('calls it damage when the value that a put asks for is not there', async () => {
    const below = await Below.on();
    const same = [envelope({ then: [put('a', 'x')] })];
    // The engine never hears of the first one.
    below.machine.apply(asIndex(1), decodeBatch(commandAt(1, same).payload), () => null);
    await below.apply([commandAt(2, same)]);
    expect(below.heard.map(codeOf)).to.deep.equal(['STORAGE_DAMAGED']);
  });

  it('gives the engine the digest of the state after each entry', async () => {
    const kvFactory = new MemoryKvDisk().mount();
    const below = new Below(await open(kvFactory));
    const noop = { ...commandAt(2, []), kind: 'noop', payload: new Uint8Array(0) } as const;
    await below.apply([commandAt(1, [envelope({ then: [put('a', 'x')] })]), noop]);
    await below.engine.close();
    const { openedAtIndex, openedDigest } = await open(kvFactory);
    expect([openedAtIndex, openedDigest]).to.deep.equal([2, below.machine.digest()]);
  });
});
