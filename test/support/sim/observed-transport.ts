import type { ReplicaInit } from '../../../src/node/replica/index.ts';
import type { RaftMessage } from '../../../src/raft/index.ts';
import type { PeerId } from '../../../src/shared/index.ts';
import { decodeSnapshotIdentity } from '../../../src/node/replica/snapshot-offer.ts';
import type { PeerTransport, SnapshotSource } from '../../../src/transport/index.ts';
import type { Transfers } from './conduct.ts';
import type { SentSnapshot } from './late-snapshot.ts';
import type { Life } from './life.ts';
import type { Profile } from './profile.ts';
import type { World } from './world.ts';
import { anyOf, between, happens } from './world.ts';

export interface ObservedTransportInit {
  readonly world: World;
  readonly name: string;
  readonly life: Life;
  readonly profile: Profile;
  readonly transfers: Transfers;
  readonly onSend: (message: RaftMessage) => void;
  /** Gives it to whom it is meant for, whatever became of the sender; not across a cut. */
  readonly deliver: (message: RaftMessage) => void;
  /** All of a snapshot was sent. */
  readonly onSnapshotSent: (sent: Sent) => void;
  readonly onFault: (fault: 'repeated' | 'reordered' | 'staleSnapshot') => void;
}

/** Most are a little late; some come when their sender has long been another life. */
const delaysMsMax = [400, 400, 400, 5_000] as const;
const staleMsMax = 5_000;

type Sent = Omit<SentSnapshot, 'from'>;

/**
 * The real transport, watched. Some messages come twice or late, so out of order: the port of Raft
 * promises neither.
 */
export function observedTransport(
  transport: PeerTransport,
  init: ObservedTransportInit,
): ReplicaInit['transport'] {
  const { world, life, profile } = init;
  const random = world.fork();
  const sendLater = (message: RaftMessage): void => {
    const delayMs = between(random, 1, anyOf(random, delaysMsMax) ?? 1);
    world.after(delayMs, () => {
      if (world.isStormy) init.deliver(copyOf(message));
      else if (!life.isOver) transport.send(message);
    });
  };
  /** Large states take their time, and others go on meanwhile. */
  const slowed = (source: SnapshotSource, chunks: Uint8Array[]): SnapshotSource => ({
    offer: source.offer,
    readChunk: async (number) => {
      const delayMs = world.isStormy ? random.intBelow(profile.chunkMsMax + 1) : 0;
      await new Promise<void>((resolve) => world.after(delayMs, () => life.pass(resolve)));
      const chunk = await source.readChunk(number);
      if (number === chunks.length) chunks.push(chunk);
      return chunk;
    },
  });
  const repeat = (to: PeerId, { offer, chunks }: Sent): void => {
    if (life.isOver || !world.isStormy) return;
    init.onFault('staleSnapshot');
    world.note(`${init.name} sends the same snapshot to ${to} again`);
    const readChunk = (number: number): Promise<Uint8Array> =>
      Promise.resolve(chunks[number] ?? new Uint8Array(0));
    transport
      .sendSnapshot(to, { offer, readChunk }, new AbortController().signal)
      .catch(() => undefined);
  };
  /** A stream that nobody waits for any more may still reach its end. */
  const again = (to: PeerId, sent: Sent): void => {
    init.onSnapshotSent(sent);
    if (happens(random, 400)) world.after(between(random, 1, staleMsMax), () => repeat(to, sent));
  };
  return {
    setPeers: (addresses) => transport.setPeers(addresses),
    call: (to, method, body, timeoutMs) => transport.call(to, method, body, timeoutMs),
    sendSnapshot: async (to, source, signal) => {
      const { index } = decodeSnapshotIdentity(source.offer.header).base;
      world.note(`${init.name} sends a snapshot of ${index} to ${to}`);
      const chunks: Uint8Array[] = [];
      init.transfers.begin(to, index);
      try {
        await transport.sendSnapshot(to, slowed(source, chunks), signal);
      } finally {
        init.transfers.end(to);
      }
      if (chunks.length === source.offer.chunkCount) again(to, { offer: source.offer, chunks });
    },
    send: (message) => {
      if (life.isOver) return;
      init.onSend(message);
      world.note(textOf(message));
      // Elections are few among all messages: else they would hardly ever be disturbed.
      const weight = message.kind === 'voteRequest' || message.kind === 'voteResponse' ? 8 : 1;
      if (happens(random, weight * profile.repeatedPerMille)) {
        init.onFault('repeated');
        sendLater(message);
      }
      if (!happens(random, weight * profile.delayedPerMille)) {
        transport.send(message);
        return;
      }
      init.onFault('reordered');
      sendLater(message);
    },
  };
}

/** As over a wire: nodes must not share bytes that one of them may write to. */
function copyOf(message: RaftMessage): RaftMessage {
  if (message.kind !== 'appendRequest') return message;
  const entries = message.entries.map((entry) => ({ ...entry, payload: entry.payload.slice() }));
  return { ...message, entries };
}

/** Everything a message says, entries by their number only. */
function textOf(message: RaftMessage): string {
  const says = Object.entries(message).map(([name, value]: [string, unknown]) =>
    Array.isArray(value) ? `${name} ${value.length}` : `${name} ${String(value)}`,
  );
  return `${message.from} > ${message.to} ${says.slice(2).join(' ')}`;
}
