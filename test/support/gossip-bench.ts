import { GossipCore, gossipSettingsFor } from '../../src/gossip/index.ts';
import type { GossipEffect, GossipSettings, MemberView } from '../../src/gossip/index.ts';
import { asIncarnation, asNodeId, seededRandom } from '../../src/shared/index.ts';
import type { ClusterId } from '../../src/shared/index.ts';
import { decodeFrame, encodeMember, encodeOpening, joinParts } from '../../src/wire/index.ts';
import type {
  FrameOpening,
  GossipFrame,
  MemberRecord,
  MemberStatus,
} from '../../src/wire/index.ts';
import { testClusterId } from './gossip-cluster.ts';

export const recordNamed = (name: string, changes: Partial<MemberRecord> = {}): MemberRecord => ({
  nodeId: asNodeId(name),
  incarnation: asIncarnation('aaaa'),
  epoch: 100,
  counter: 0,
  status: 'alive',
  address: `${name}:8000`,
  zone: '',
  httpAddress: '',
  raftAddress: '',
  ...changes,
});

interface Sent {
  readonly to: string;
  readonly frame: GossipFrame;
}

export interface Saying {
  readonly opening?: Omit<FrameOpening, 'sender'>;
  readonly items?: readonly Uint8Array[];
  /** What the sender says of itself in the frame's head. */
  readonly self?: Partial<MemberRecord>;
  readonly clusterId?: ClusterId;
}

/** One core on a bench: peers are played by the test, frame by frame. */
export class GossipBench {
  readonly core: GossipCore;
  nowMs = 0;

  constructor(settings: Partial<GossipSettings> = {}) {
    this.core = new GossipCore({
      clusterId: testClusterId,
      self: recordNamed('me'),
      settings: { ...gossipSettingsFor('lan'), ...settings },
      random: seededRandom(1),
    });
    this.core.drain();
  }

  /** A datagram from a peer. */
  say(name: string, saying: Saying = {}): void {
    const { nodeId, epoch, counter } = recordNamed(name, saying.self);
    const sender = { nodeId, epoch, counter };
    const opening = encodeOpening(saying.clusterId ?? testClusterId, {
      sender,
      ...saying.opening,
    });
    const bytes = joinParts([opening, ...(saying.items ?? [])]);
    this.core.receive(`${name}:8000`, bytes, this.nowMs);
  }

  /** Peers make themselves known; what that sets off is dropped. */
  meet(...names: string[]): void {
    for (const name of names) this.say(name, { items: [rumourOf(name)] });
    this.core.tick(this.nowMs);
    this.settle();
  }

  /** Drops all effects until gossip has nothing more to say. */
  settle(): void {
    for (let round = 0; round < 40; round++) {
      this.core.tick(this.nowMs);
      this.core.drain();
    }
  }

  tickAt(nowMs: number): void {
    this.nowMs = nowMs;
    this.core.tick(nowMs);
  }

  sent(): Sent[] {
    return this.effects('send').map(({ to, bytes }) => ({ to, frame: decodeFrame(bytes) }));
  }

  effects<K extends GossipEffect['kind']>(kind: K): Extract<GossipEffect, { kind: K }>[] {
    return this.core
      .drain()
      .filter((effect): effect is Extract<GossipEffect, { kind: K }> => effect.kind === kind);
  }

  viewOf(name: string): MemberView | undefined {
    return this.core.members().find(({ nodeId }) => nodeId === name);
  }

  statusOf(name: string): MemberStatus | 'unknown' {
    return this.viewOf(name)?.status ?? 'unknown';
  }
}

export const rumourOf = (
  name: string,
  changes: Partial<MemberRecord> = {},
  how: { accuser?: string; endedSeconds?: number } = {},
): Uint8Array =>
  encodeMember({
    record: recordNamed(name, changes),
    accuser: how.accuser === undefined ? '' : asNodeId(how.accuser),
    endedSeconds: how.endedSeconds ?? 0,
  });
