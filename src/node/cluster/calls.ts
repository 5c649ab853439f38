import type { Configuration, Member } from '../../raft/index.ts';
import type { ClusterId, PeerId } from '../../shared/index.ts';
import {
  asClusterId,
  asNodeId,
  asPeerId,
  fromUtf8,
  QuorateError,
  utf8,
} from '../../shared/index.ts';
import {
  decodeConfiguration,
  decodeFields,
  decodeProposeRequest,
  encodeConfiguration,
  encodeFields,
  encodeProposeRequest,
} from '../../wire/index.ts';
import type { Explanations } from '../watching/index.ts';

/** Methods of calls between nodes. */
export const methods = {
  /** Commands for the leader: ProposeRequest -> ProposeResponse. */
  propose: 'propose',
  /** Who are you? Tells a blank node its cluster. The transport serves it to strangers too. */
  handshake: 'handshake',
  /** For the leader: make the node at this Raft address a member. */
  join: 'join',
  /** For the leader: remove the node at this Raft address. */
  leave: 'leave',
  /** For the leader: this member has these addresses and this zone now. */
  update: 'update',
  /** For the leader: hand over to the member of this id. */
  transfer: 'transfer',
  /** Does this node still run the notification of this event? */
  isNotifying: 'isNotifying',
  /** This incarnation was removed. */
  removed: 'removed',
  /** What the leader knows of all members. */
  progress: 'progress',
  /** For the leader: how this member is; answers whether its state is that of the others. */
  condition: 'condition',
  /** What the leader decides about keys, and why. */
  explain: 'explain',
} as const;

/** What a node answers to a handshake. */
export interface Identity {
  /** null: the node has no data and knows no cluster. */
  readonly clusterId: ClusterId | null;
  readonly member: Member;
}

const memberBody = (member: Member): Uint8Array =>
  encodeConfiguration({ members: [member], outgoingVoters: [], removed: [] });

function memberFrom(body: Uint8Array): Member {
  const configuration: Configuration = decodeConfiguration(body);
  const member = configuration.members[0];
  if (member === undefined)
    throw new QuorateError('PARAM_INVALID', 'Cannot use a call: no member in it');
  return member;
}

export const encodeIdentity = ({ clusterId, member }: Identity): Uint8Array =>
  encodeFields({ texts: [clusterId ?? ''], body: memberBody(member) });

export function decodeIdentity(bytes: Uint8Array): Identity {
  const { texts, body } = decodeFields(bytes);
  const id = texts[0] ?? '';
  return { clusterId: id === '' ? null : asClusterId(id), member: memberFrom(body) };
}

/** What a handshake asks for beside the name. */
export interface HandshakeWish {
  /** A blank node takes the cluster id as its own. */
  readonly adopt: boolean;
  /** A removed node starts afresh. */
  readonly renew: boolean;
}

export interface HandshakeRequest extends HandshakeWish {
  readonly clusterId: ClusterId;
  /** The leader, who asks. */
  readonly host: Member;
}

export const encodeHandshake = (request: HandshakeRequest): Uint8Array =>
  encodeFields({
    texts: [request.clusterId],
    numbers: [request.renew ? 1 : 0, request.adopt ? 1 : 0],
    body: memberBody(request.host),
  });

export function decodeHandshake(bytes: Uint8Array): HandshakeRequest {
  const { texts, numbers, body } = decodeFields(bytes);
  const clusterId = asClusterId(texts[0] ?? '');
  const wish = { renew: numbers[0] === 1, adopt: numbers[1] === 1 };
  return { clusterId, ...wish, host: memberFrom(body) };
}

/** Whom the leader is to hand over to. */
export interface TransferRequest {
  readonly nodeId: string;
  readonly timeoutMs: number;
}

export const encodeTransfer = ({ nodeId, timeoutMs }: TransferRequest): Uint8Array =>
  encodeFields({ texts: [nodeId], numbers: [Math.ceil(timeoutMs)] });

export function decodeTransfer(bytes: Uint8Array): TransferRequest {
  const { texts, numbers } = decodeFields(bytes);
  return { nodeId: texts[0] ?? '', timeoutMs: waitOf(numbers[0]) };
}

const waitOf = (timeoutMs = 0): number => Math.min(Math.max(timeoutMs, 1), 60_000);

/** An address with a switch: join (unused) and leave (force). */
export interface AddressRequest {
  readonly address: string;
  readonly force: boolean;
  readonly timeoutMs: number;
}

export const encodeAddressRequest = (request: AddressRequest): Uint8Array =>
  encodeFields({
    texts: [request.address],
    numbers: [request.force ? 1 : 0, Math.ceil(request.timeoutMs)],
  });

export function decodeAddressRequest(bytes: Uint8Array): AddressRequest {
  const { texts, numbers } = decodeFields(bytes);
  return { address: texts[0] ?? '', force: numbers[0] === 1, timeoutMs: waitOf(numbers[1]) };
}

export const encodeMember = (member: Member): Uint8Array =>
  encodeFields({ body: memberBody(member) });
export const decodeMember = (bytes: Uint8Array): Member => memberFrom(decodeFields(bytes).body);

export const encodePeer = (peer: PeerId): Uint8Array => encodeFields({ texts: [peer] });
export const decodePeer = (bytes: Uint8Array): PeerId =>
  asPeerId(decodeFields(bytes).texts[0] ?? '');

export const encodeNumber = (number: number): Uint8Array => encodeFields({ numbers: [number] });
export const decodeNumber = (bytes: Uint8Array): number => decodeFields(bytes).numbers[0] ?? 0;

export const encodeKeys = (keys: readonly string[]): Uint8Array =>
  encodeProposeRequest(keys.map(utf8));
export const decodeKeys = (bytes: Uint8Array): readonly string[] =>
  decodeProposeRequest(bytes).map(fromUtf8);

/** A list of small bodies; who decided comes first. */
export const encodeExplanations = ({ decidedBy, list }: Explanations): Uint8Array =>
  encodeProposeRequest([
    utf8(decidedBy),
    ...list.map(({ reason, isWaiting }) =>
      encodeFields({ texts: [reason], numbers: [isWaiting ? 1 : 0] }),
    ),
  ]);

export function decodeExplanations(bytes: Uint8Array): Explanations {
  const [decidedBy, ...bodies] = decodeProposeRequest(bytes);
  const list = bodies.map((body) => {
    const { texts, numbers } = decodeFields(body);
    return { reason: texts[0] ?? '', isWaiting: numbers[0] === 1 };
  });
  return { decidedBy: asNodeId(fromUtf8(decidedBy ?? new Uint8Array())), list };
}
