/**
 * Peer transport on loopback: `npx tsx bench/peer-transport.ts`. Both nodes share one process and
 * so one core; between machines each side has its own.
 */
import { asClusterId, asIndex, asPeerId, asTerm, seededRandom } from '../src/shared/index.ts';
import type { Clock, Logger, PeerId } from '../src/shared/index.ts';
import type { RaftMessage } from '../src/raft/index.ts';
import { createGrpcPeerTransport } from '../src/transport/peer/grpc-peer-transport.ts';
import type { PeerHandlers, PeerTransport } from '../src/transport/peer/peer-transport.ts';

const clock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
  afterPendingInput: (run) => void setImmediate(run),
};
const log = (fields: object, message: string): void => console.log(message, fields);
const logger: Logger = { debug: () => undefined, info: log, warn: log, error: log };

const first = asPeerId('n1@0000000000000001');
const second = asPeerId('n2@0000000000000002');

function node(self: PeerId, address: string): PeerTransport {
  return createGrpcPeerTransport({
    self,
    clusterId: asClusterId('c'.repeat(32)),
    listen: address,
    advertise: address,
    logger,
    clock,
    random: seededRandom(1),
  });
}

let received = 0;
let frames = 0;
let wake: (() => void) | null = null;
let target = Infinity;
const handlers: PeerHandlers = {
  onMessages: (messages) => {
    received += messages.length;
    frames++;
    if (received >= target) wake?.();
  },
  onCall: (_from, _method, body) => Promise.resolve(body),
  onSnapshot: () => Promise.reject(new Error('none expected')),
};

const a = node(first, '127.0.0.1:31971');
const b = node(second, '127.0.0.1:31972');
await a.start(handlers);
await b.start(handlers);
const peers = new Map([
  [first, '127.0.0.1:31971'],
  [second, '127.0.0.1:31972'],
]);
a.setPeers(peers);
b.setPeers(peers);
await a.call(second, 'warm', new Uint8Array(1), 5000);
while (!a.status().every((peer) => peer.connected)) await new Promise(setImmediate);

const heartbeat: RaftMessage = {
  kind: 'heartbeat',
  from: first,
  to: second,
  term: asTerm(3),
  commit: asIndex(1000),
  readRound: 7,
};

function append(payloadBytes: number, entryCount: number): RaftMessage {
  const payload = Buffer.alloc(payloadBytes, 7);
  return {
    kind: 'appendRequest',
    from: first,
    to: second,
    term: asTerm(3),
    previousIndex: asIndex(1000),
    previousTerm: asTerm(3),
    lastIndex: asIndex(1000 + entryCount),
    entries: Array.from({ length: entryCount }, (_, i) => ({
      index: asIndex(1001 + i),
      term: asTerm(3),
      kind: 'command' as const,
      payload,
    })),
    leaderCommit: asIndex(999),
    readRound: 7,
  };
}

async function messages(name: string, message: RaftMessage, total: number, perTurn: number) {
  received = 0;
  frames = 0;
  const startedMs = performance.now();
  for (let sent = 0; sent < total; sent += perTurn) {
    target = sent + perTurn;
    const done = new Promise<void>((resolve) => (wake = resolve));
    for (let i = 0; i < perTurn; i++) a.send(message);
    await done;
  }
  const seconds = (performance.now() - startedMs) / 1000;
  const rate = Math.round(total / seconds);
  console.log(
    `${name}: ${rate} messages/s, ${((seconds * 1e6) / frames).toFixed(0)} us/frame, ${frames} frames`,
  );
}

async function calls(name: string, total: number, concurrency: number) {
  const body = Buffer.alloc(256, 1);
  const times: number[] = [];
  const startedMs = performance.now();
  let left = total;
  const worker = async (): Promise<void> => {
    while (left-- > 0) {
      const callMs = performance.now();
      await a.call(second, 'propose', body, 5000);
      times.push(performance.now() - callMs);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  const seconds = (performance.now() - startedMs) / 1000;
  times.sort((x, y) => x - y);
  const at = (share: number): string => (times[Math.floor(times.length * share)] ?? 0).toFixed(3);
  console.log(
    `${name}: ${Math.round(total / seconds)} calls/s, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`,
  );
}

for (let round = 0; round < 2; round++) {
  await messages('heartbeats one by one (ping only)', heartbeat, 10_000, 1);
  await messages('heartbeats, 100 a turn', heartbeat, 300_000, 100);
  await messages('appends 256 B, 64 a turn', append(256, 1), 100_000, 64);
  await messages('appends 64 x 1 KiB, one a turn', append(1024, 64), 5000, 1);
  await messages('appends 1 MiB, one a turn', append(1024 * 1024, 1), 300, 1);
  await calls('calls one by one', 10_000, 1);
  await calls('calls, 64 at once', 100_000, 64);
  await calls('calls, 1000 at once', 200_000, 1000);
}
await a.stop();
await b.stop();
