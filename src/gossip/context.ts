import type { ClusterId, Random } from '../shared/index.ts';
import { encodeOpening, joinParts } from '../wire/index.ts';
import type { FrameOpening, MemberRecord } from '../wire/index.ts';
import { Awareness } from './awareness.ts';
import { transmitLimit } from './formulas.ts';
import { Lanes } from './lanes.ts';
import { MemberTable } from './members.ts';
import type { GossipSettings } from './settings.ts';
import type { Emit, GossipInit } from './types.ts';

/** This node's own record: it is the only one who writes it. */
export class Self {
  record: MemberRecord;

  constructor(record: MemberRecord) {
    this.record = record;
  }

  get hasLeft(): boolean {
    return this.record.status === 'left';
  }
}

/** What the parts of one core share. */
export interface Context {
  readonly clusterId: ClusterId;
  readonly settings: GossipSettings;
  readonly random: Random;
  readonly self: Self;
  readonly table: MemberTable;
  readonly lanes: Lanes;
  readonly awareness: Awareness;
  readonly emit: Emit;
}

export function createContext(init: GossipInit, emit: Emit): Context {
  const { clusterId, settings, random, self } = init;
  return {
    clusterId,
    settings,
    random,
    self: new Self({ ...self, counter: 0, status: 'alive' }),
    table: new MemberTable(),
    lanes: new Lanes(),
    awareness: new Awareness(settings.awarenessMax),
    emit,
  };
}

/** This node and all that are alive or suspected: n of the formulas. */
export const memberCountOf = (context: Context): number => context.table.activeCount + 1;

/** Opens a frame as this node. */
export function openFrame(context: Context, opening: Omit<FrameOpening, 'sender'>): Uint8Array {
  const { nodeId, epoch, counter } = context.self.record;
  return encodeOpening(context.clusterId, { sender: { nodeId, epoch, counter }, ...opening });
}

export interface Packet {
  readonly to: string;
  readonly opening?: Omit<FrameOpening, 'sender'>;
  /** Items that must be in it, before those that wait in the lanes. */
  readonly first?: readonly Uint8Array[];
}

/** Sends one datagram and fills what room is left with gossip. Returns the number of items. */
export function sendPacket(context: Context, packet: Packet): number {
  const { settings, lanes } = context;
  const first = packet.first ?? [];
  const head = [openFrame(context, packet.opening ?? {}), ...first];
  const room = settings.packetBytesMax - head.reduce((sum, part) => sum + part.length, 0);
  const items = lanes.take(room, transmitLimit(settings.retransmitMult, memberCountOf(context)));
  context.emit({ kind: 'send', to: packet.to, bytes: joinParts([...head, ...items]) });
  return first.length + items.length;
}
