import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { asClusterId, asIndex, asPeerId, asTerm, QuorateError } from '../../src/shared/index.ts';
import type { Clock, ClusterId, Logger, PeerId } from '../../src/shared/index.ts';
import { seededRandom } from '../../src/shared/index.ts';
import type { RaftMessage } from '../../src/raft/index.ts';
import type {
  OutdatedBy,
  PeerHandlers,
  PeerTransport,
  PeerTransportInit,
  SnapshotOffer,
  SnapshotReceiver,
  SnapshotSource,
} from '../../src/transport/index.ts';

export const realClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
  afterPendingInput: (run) => void setImmediate(run),
};

/** Keeps what was logged: at `warn` and above as complaints. */
export class KeptLog implements Logger {
  readonly complaints: string[] = [];
  /** What was logged at `info`. */
  readonly news: string[] = [];

  debug(): void {
    // Not of interest.
  }

  info(_fields: object, message: string): void {
    this.news.push(message);
  }

  warn(_fields: object, message: string): void {
    this.complaints.push(message);
  }

  error(_fields: object, message: string): void {
    this.complaints.push(message);
  }
}

/** Resolves when `condition` holds; the deadline is far beyond what a slow machine takes. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + 8000;
  while (!condition()) {
    if (performance.now() > deadlineMs) throw new Error(`Waited in vain for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Codes of a rejection; 'resolved' when there was none. */
export async function codeOfRejection(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'resolved';
  } catch (error) {
    return error instanceof QuorateError ? error.code : String(error);
  }
}

export const cluster = asClusterId('c'.repeat(32));
export const otherCluster = asClusterId('d'.repeat(32));
export const one = asPeerId('n1@0000000000000001');
export const two = asPeerId('n2@0000000000000002');

/** Ports below the range from which the kernel draws those of outgoing connections. */
export async function freeAddress(): Promise<string> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if (await isFree(port)) return `127.0.0.1:${port}`;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => {
      const { port: bound } = server.address() as AddressInfo;
      server.close(() => resolve(bound === port));
    });
  });
}

export const echo = (body: Uint8Array): Promise<Uint8Array> => Promise.resolve(body);

type OnCall = PeerHandlers['onCall'];
type OnSnapshot = PeerHandlers['onSnapshot'];

/** Handlers that remember; tests replace what calls and snapshots do. */
export class Recorder implements PeerHandlers {
  readonly batches: (readonly RaftMessage[])[] = [];
  readonly outdatedBy: OutdatedBy[] = [];
  readonly calls: { readonly from: PeerId | null; readonly method: string }[] = [];
  answer: OnCall = (_from, _method, body) => echo(body);
  takeSnapshot: OnSnapshot = () =>
    Promise.reject(new QuorateError('CONFLICT', 'Cannot take a snapshot as asked: none expected'));

  get messages(): readonly RaftMessage[] {
    return this.batches.flat();
  }

  onMessages(messages: readonly RaftMessage[]): void {
    this.batches.push(messages);
  }

  onCall(from: PeerId | null, method: string, body: Uint8Array): Promise<Uint8Array> {
    this.calls.push({ from, method });
    return this.answer(from, method, body);
  }

  onSnapshot(from: PeerId, offer: SnapshotOffer): Promise<SnapshotReceiver> {
    return this.takeSnapshot(from, offer);
  }

  onOutdated(by: OutdatedBy): void {
    this.outdatedBy.push(by);
  }
}

/** One transport of a test with what it received. */
export interface TestNode {
  readonly self: PeerId;
  readonly address: string;
  readonly transport: PeerTransport;
  readonly received: Recorder;
  readonly log: KeptLog;
}

export type TransportMaker = (init: PeerTransportInit) => PeerTransport;

/** Makes transports that are stopped when the test ends. */
export class TestNodes {
  readonly #make: TransportMaker;
  readonly #nodes: TestNode[] = [];

  constructor(make: TransportMaker) {
    this.#make = make;
  }

  create(self: PeerId, address: string, clusterId: ClusterId | null = cluster): TestNode {
    const log = new KeptLog();
    const transport = this.#make({
      self,
      clusterId,
      listen: address,
      advertise: address,
      logger: log,
      clock: realClock,
      random: seededRandom(this.#nodes.length),
    });
    const node = { self, address, transport, received: new Recorder(), log };
    this.#nodes.push(node);
    return node;
  }

  async start(
    self: PeerId,
    address: string,
    clusterId: ClusterId | null = cluster,
  ): Promise<TestNode> {
    const node = this.create(self, address, clusterId);
    await node.transport.start(node.received);
    return node;
  }

  /** Two nodes that know each other and are connected. */
  async pair(): Promise<readonly [TestNode, TestNode]> {
    const first = await this.start(one, await freeAddress());
    const second = await this.start(two, await freeAddress());
    introduce(first, second);
    await connected(first, second);
    return [first, second];
  }

  async stopAll(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.transport.stop()));
    this.#nodes.length = 0;
  }
}

export function introduce(...nodes: readonly TestNode[]): void {
  const addresses = new Map(nodes.map((node) => [node.self, node.address]));
  for (const node of nodes) node.transport.setPeers(addresses);
}

export function isConnected(node: TestNode): boolean {
  const peers = node.transport.status();
  return peers.length > 0 && peers.every((peer) => peer.connected);
}

export function connected(...nodes: readonly TestNode[]): Promise<void> {
  return until('connections', () => nodes.every(isConnected));
}

export function heartbeat(from: PeerId, to: PeerId, readRound: number): RaftMessage {
  return { kind: 'heartbeat', from, to, term: asTerm(3), commit: asIndex(9), readRound };
}

export function append(from: PeerId, to: PeerId, payload: Uint8Array): RaftMessage {
  return {
    kind: 'appendRequest',
    from,
    to,
    term: asTerm(3),
    previousIndex: asIndex(9),
    previousTerm: asTerm(2),
    lastIndex: asIndex(10),
    entries: [{ index: asIndex(10), term: asTerm(3), kind: 'command', payload }],
    leaderCommit: asIndex(8),
    readRound: 4,
  };
}

/** A snapshot of `chunkCount` chunks that counts how far it was read. */
export class TestSource implements SnapshotSource {
  readonly offer: SnapshotOffer;
  readonly reads: number[] = [];
  readonly #chunkBytes: number;

  constructor(chunkCount: number, chunkBytes = 1000) {
    this.#chunkBytes = chunkBytes;
    const header = new Uint8Array([1, 2, 3]);
    this.offer = { term: asTerm(7), header, resumeKey: 'key', chunkCount };
  }

  readChunk(number: number): Promise<Uint8Array> {
    this.reads.push(number);
    return Promise.resolve(chunkOf(number, this.#chunkBytes));
  }
}

export const chunkOf = (number: number, bytes = 1000): Uint8Array =>
  new Uint8Array(bytes).fill(number & 0xff);

/** Keeps chunks over several streams, as a file would. */
export class TestIntake {
  readonly chunks: Uint8Array[] = [];
  readonly offers: SnapshotOffer[] = [];
  readonly aborts: string[] = [];
  isFinished = false;
  /** Runs before a chunk is kept. */
  beforeTake: (number: number) => Promise<void> = () => Promise.resolve();
  beforeFinish: () => Promise<void> = () => Promise.resolve();

  readonly receive = (_from: PeerId, offer: SnapshotOffer): Promise<SnapshotReceiver> => {
    this.offers.push(offer);
    return Promise.resolve({
      startAt: this.chunks.length,
      take: async (number, chunk) => {
        await this.beforeTake(number);
        this.chunks.push(chunk);
      },
      finish: async () => {
        await this.beforeFinish();
        this.isFinished = true;
      },
      abort: (reason) => {
        this.aborts.push(reason);
      },
    });
  };
}

export const never = new AbortController().signal;
