import { expect } from 'chai';
import { ConditionBook } from '../../../../src/node/cluster/condition-book.ts';
import { ConditionWatch } from '../../../../src/node/cluster/condition-watch.ts';
import type { Condition } from '../../../../src/node/cluster/condition.ts';
import {
  decodeCondition,
  decodeVerdict,
  encodeCondition,
  encodeVerdict,
} from '../../../../src/node/cluster/condition.ts';
import { DigestMarks } from '../../../../src/node/replica/digest-marks.ts';
import type { DiskRoom } from '../../../../src/node/replica/index.ts';
import type { Configuration, Member } from '../../../../src/raft/index.ts';
import { emptyConfiguration, peerIdOfMember } from '../../../../src/raft/index.ts';
import { asIncarnation, asIndex, asNodeId, codeOf } from '../../../../src/shared/index.ts';
import { StateMachine } from '../../../../src/store/index.ts';
import type { Operation } from '../../../../src/store/index.ts';
import { VirtualClock } from '../../../support/virtual-clock.ts';
import { LinesLogger } from '../support.ts';

const mebibyte = 1024 * 1024;

const member = (id: string, role: Member['role'] = 'voter'): Member => ({
  nodeId: asNodeId(id),
  incarnation: asIncarnation(`${id}-1`),
  role,
  zone: '',
  raftAddress: `${id}:1`,
  httpAddress: `${id}:2`,
  gossipAddress: `${id}:3`,
});

const peerOf = (id: string) => peerIdOfMember(member(id));
const fine = (id: string): Condition => ({ peer: peerOf(id), isLow: false, mark: null });
const low = (id: string): Condition => ({ ...fine(id), isLow: true });
const at = (id: string, index: number, digest: number): Condition => ({
  ...fine(id),
  mark: { index: asIndex(index), digest },
});

class Bench {
  readonly clock = new VirtualClock();
  readonly logger = new LinesLogger();
  configuration: Configuration = {
    ...emptyConfiguration,
    members: [member('a'), member('b'), member('c'), member('o', 'observer')],
  };
  mismatches = 0;
  readonly book = new ConditionBook({
    clock: this.clock,
    logger: this.logger,
    configuration: () => this.configuration,
    onMismatch: () => this.mismatches++,
  });
}

describe('Condition codec', () => {
  it('gives back what was told', () => {
    for (const one of [fine('a'), low('a'), at('a', 10_000, 0xffff_ffff), at('b', 1, 0)]) {
      expect(decodeCondition(encodeCondition(one))).to.deep.equal(one);
    }
    for (const mark of [null, at('a', 7, 0).mark]) {
      expect(decodeVerdict(encodeVerdict(mark))).to.deep.equal(mark);
    }
  });
});

describe('ConditionBook.lackingSpace', () => {
  it('names every voter that lacks space, and nobody else', () => {
    const { book } = new Bench();
    for (const one of [low('c'), fine('a'), low('o'), low('stranger')]) book.take(one);
    expect(book.lackingSpace()).to.equal('c');
    book.take(low('b'));
    expect(book.lackingSpace()).to.equal('b, c');
  });

  it('is not certain before every voter reported, or had the time for it', async () => {
    const { book, clock } = new Bench();
    book.take(fine('a'));
    expect(book.lackingSpace()).to.equal(null);
    book.take(fine('b'));
    book.take(fine('c'));
    expect(book.lackingSpace()).to.equal('');
    book.begin();
    expect(book.lackingSpace()).to.equal(null);
    await clock.advance(10_000);
    expect(book.lackingSpace()).to.equal('');
  });

  it('forgets what a voter said that is silent now', async () => {
    const { book, clock } = new Bench();
    book.take(low('a'));
    await clock.advance(5_000);
    expect(book.lackingSpace()).to.equal('a');
    await clock.advance(5_000);
    expect(book.lackingSpace()).to.equal('');
  });
});

describe('ConditionBook.take', () => {
  it('tells a member what a majority has where it differs, once there is a majority', () => {
    const { book } = new Bench();
    expect(book.take(at('a', 20, 1))).to.equal(null);
    expect(book.take(at('b', 20, 2))).to.equal(null);
    expect(book.take(at('c', 20, 2))).to.equal(null);
    expect(book.take(at('a', 20, 1))).to.deep.equal({ index: 20, digest: 2 });
    expect(book.take(at('o', 20, 3))).to.deep.equal({ index: 20, digest: 2 });
    expect(book.take(at('b', 20, 2))).to.equal(null);
  });

  it('says once for each entry that states differ, whoever is right', () => {
    const bench = new Bench();
    for (const id of ['a', 'b', 'a', 'b']) bench.book.take(at(id, 20, id === 'a' ? 1 : 2));
    expect(bench.logger.at('error')).to.deep.equal([
      `The nodes hold different states after entry 20: ${peerOf('a')} 0x00000001, ${peerOf('b')} 0x00000002`,
    ]);
    expect(bench.mismatches).to.equal(1);
    bench.book.take(at('a', 40, 1));
    bench.book.take(at('b', 40, 1));
    expect(bench.mismatches).to.equal(1);
  });

  it('one of three voters with an observer is no majority', () => {
    const { book } = new Bench();
    expect(book.take(at('o', 20, 2))).to.equal(null);
    expect(book.take(at('a', 20, 2))).to.equal(null);
    expect(book.take(at('b', 20, 1))).to.equal(null);
  });
});

/** A node that leads itself. */
class Node extends Bench {
  freeBytes = 1024 * mebibyte;
  spareSegments = 2;
  readonly commits: Operation[] = [];
  readonly failures: unknown[] = [];
  readonly marks = new DigestMarks(10);
  readonly machine = new StateMachine();
  verdict: ReturnType<typeof decodeVerdict> = null;
  readonly told: Condition[] = [];
  readonly rooms: DiskRoom[] = [];
  prepared = 0;
  readonly watch: ConditionWatch = new ConditionWatch({
    clock: this.clock,
    logger: this.logger,
    files: { freeBytes: () => Promise.resolve(this.freeBytes) },
    dataDirectory: '/data',
    segmentBytes: 64 * mebibyte,
    logUsage: () => ({ segments: 1, spareSegments: this.spareSegments, bytes: 0 }),
    prepareSpares: () => this.prepared++,
    onRoom: (room) => this.rooms.push(room),
    replica: {
      self: peerOf('a'),
      state: { machine: this.machine, engine: null as never },
      marks: this.marks,
      mayDecide: true,
      configuration: { ...emptyConfiguration, members: [member('a')] },
    },
    onMismatch: () => this.mismatches++,
    report: (condition) => {
      this.told.push(condition);
      this.watch.book.take(condition);
      return Promise.resolve(this.verdict);
    },
    commit: (operation) => {
      this.commits.push(operation);
      this.#apply(operation);
      return Promise.resolve();
    },
    onFatal: (error) => this.failures.push(error),
  });

  constructor() {
    super();
    this.machine.finishLoad(asIndex(0));
    this.watch.start();
  }

  async with(changes: Partial<Pick<Node, 'freeBytes' | 'spareSegments'>>): Promise<string> {
    Object.assign(this, changes);
    await this.clock.advance(3_000);
    return this.machine.noSpace;
  }

  #apply(operation: Operation): void {
    const index = asIndex(this.machine.appliedIndex + 1);
    const rest = { minVersion: 1, keyspace: '', principal: '', session: '', sequence: 0 };
    const envelopes = [{ ...rest, compare: [], then: [operation], else: [] }];
    this.machine.apply(index, { timeMs: 1, envelopes, minVersion: 1 }, () => undefined);
  }
}

describe('ConditionWatch', () => {
  it('has puts refused below the reserve and taken again well above it', async () => {
    const node = new Node();
    expect(await node.with({ freeBytes: 64 * mebibyte })).to.equal('');
    expect(await node.with({ freeBytes: 64 * mebibyte - 1 })).to.equal('a');
    expect(await node.with({ freeBytes: 96 * mebibyte - 1 })).to.equal('a');
    expect(await node.with({ freeBytes: 96 * mebibyte })).to.equal('');
    expect(node.commits).to.have.lengthOf(2);
    expect(node.logger.at('warn')).to.deep.equal([
      'Values are refused: too little disk is left on a',
    ]);
    expect(node.logger.at('info')).to.deep.equal(['Disks have room again: values are taken']);
  });

  it('wants room for a segment more when none is prepared', async () => {
    const node = new Node();
    expect(await node.with({ spareSegments: 0, freeBytes: 128 * mebibyte })).to.equal('');
    expect(await node.with({ freeBytes: 128 * mebibyte - 1 })).to.equal('a');
    expect(await node.with({ spareSegments: 1 })).to.equal('');
  });

  it('has spares prepared, and what can be spared deleted, according to the room there is', async () => {
    const node = new Node();
    const roomWith = async (changes: Parameters<Node['with']>[0]): Promise<unknown> => {
      await node.with(changes);
      return node.rooms.at(-1);
    };
    expect(await roomWith({})).to.equal('enough');
    expect(await roomWith({ freeBytes: 1 })).to.equal('low');
    expect(await roomWith({ spareSegments: 0 }), 'no next segment').to.equal('none');
    expect(await roomWith({ freeBytes: 64 * mebibyte })).to.equal('low');
    expect(await roomWith({ freeBytes: 192 * mebibyte })).to.equal('enough');
    expect(node.prepared).to.equal(node.rooms.length);
  });

  it('stops a node whose state differs from that of a majority, as damaged', async () => {
    const node = new Node();
    node.marks.note(asIndex(10), () => 1);
    node.marks.note(asIndex(15), () => 5);
    await node.clock.advance(1_000);
    expect(node.told.at(-1)?.mark).to.deep.equal({ index: 10, digest: 1 });
    expect(node.failures).to.deep.equal([]);
    node.verdict = { index: asIndex(10), digest: 1 };
    await node.clock.advance(1_000);
    node.verdict = { index: asIndex(20), digest: 9 };
    await node.clock.advance(1_000);
    expect(node.failures, 'the same, or not known here').to.deep.equal([]);
    node.verdict = { index: asIndex(10), digest: 2 };
    await node.clock.advance(1_000);
    expect(codeOf(node.failures[0])).to.equal('STORAGE_DAMAGED');
    expect(String(node.failures[0])).to.contain(
      'its digest after entry 10 is 0x00000001, a majority has 0x00000002',
    );
  });

  it('stop ends it', async () => {
    const node = new Node();
    await node.clock.advance(1_000);
    node.watch.stop();
    await node.clock.advance(5_000);
    expect(node.clock.pendingCount).to.equal(0);
  });
});
