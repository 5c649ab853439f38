import {
  asClusterId,
  asPeerId,
  isLaterLineage,
  isSameOrigin,
  lineageOf,
} from '../../shared/index.ts';
import type { ClusterId, PeerId } from '../../shared/index.ts';
import type { Frame, Hello } from './frames.ts';
import { PROTOCOL_VERSION } from './limits.ts';

/** Who this node is; the cluster is null until a joining node learns it. */
export interface Identity {
  readonly self: PeerId;
  readonly clusterId: ClusterId | null;
  readonly address: string;
}

/** The first frame to `to`; null for an address whose identity is not known. */
export function helloFrom(identity: Identity, to: PeerId | null): Hello {
  return {
    version: PROTOCOL_VERSION,
    cluster: identity.clusterId ?? '',
    from: identity.self,
    to: to ?? '',
    address: identity.address,
  };
}

/**
 * The cluster of the side that was dialled, when it is this node's own as it was recovered without it;
 * else null. Only what this node dialled as a peer may say so: see docs/decisions/0031.
 */
export function laterLineageIn(frame: Frame, { clusterId }: Identity): ClusterId | null {
  if (frame.body !== 'hello' || clusterId === null) return null;
  const theirs = asClusterId(frame.hello.cluster);
  return isLaterLineage(theirs, clusterId) ? theirs : null;
}

/** Whether the caller is of this cluster as it was before a recovery: it is then told of it. */
export const isOutdated = ({ cluster }: Hello, { clusterId }: Identity): boolean =>
  clusterId !== null && isLaterLineage(clusterId, asClusterId(cluster));

/** What is wrong with the first frame of the side that was dialled as `peer`; null: nothing. */
export function greetingErrorOf(frame: Frame, peer: PeerId | null): string | null {
  if (frame.body !== 'hello') return 'its first frame is not a hello';
  if (peer !== null && frame.hello.from !== peer) return `it is '${frame.hello.from}'`;
  return null;
}

/** Why a stranger may not even ask who this node is; null when it may. */
export function strangerRefusalOf(hello: Hello): string | null {
  if (hello.version === PROTOCOL_VERSION) return null;
  return `it speaks protocol ${hello.version}, not ${PROTOCOL_VERSION}`;
}

/** Why a stream that begins with `hello` must not be served; null when it may be. */
export function peerRefusalOf(hello: Hello, identity: Identity): string | null {
  const { self, clusterId } = identity;
  const refusal = strangerRefusalOf(hello);
  if (refusal !== null) return refusal;
  if (clusterId === null) return 'this node has not joined a cluster yet';
  if (hello.cluster !== clusterId) return clusterRefusal(hello, { self, clusterId });
  if (hello.to !== self) return `it looks for '${hello.to}', this is '${self}'`;
  if (hello.from === self) return `it claims to be this node, '${self}'`;
  if (hello.from.lastIndexOf('@') <= 0) return `'${hello.from}' is not nodeId@incarnation`;
  return null;
}

interface OwnCluster {
  readonly self: PeerId;
  readonly clusterId: ClusterId;
}

/** Of two lineages of one cluster the later one goes on: its nodes and the others say so. */
function clusterRefusal({ cluster, from }: Hello, { self, clusterId }: OwnCluster): string {
  const theirs = asClusterId(cluster);
  if (!isSameOrigin(theirs, clusterId)) return `its cluster is '${cluster}', not '${clusterId}'`;
  if (lineageOf(theirs) === lineageOf(clusterId)) return twinText(theirs, clusterId);
  return isLaterLineage(theirs, clusterId)
    ? outdatedText(self, theirs)
    : outdatedText(from, clusterId);
}

const twinText = (theirs: ClusterId, own: ClusterId): string =>
  `one cluster was recovered twice in the same second, there as ${theirs}, here as ${own}: ` +
  'keep one of the two and start the nodes of the other with empty data directories';

/** `newer`: how the cluster of `peer` goes on without its data. */
export function outdatedText(peer: string, newer: ClusterId): string {
  const name = peer.slice(0, peer.lastIndexOf('@'));
  return (
    `the data of ${name} is from before the cluster was recovered as ${newer}: ` +
    `with an empty data directory ${name} may join again`
  );
}

/** The caller, when its hello shows that it is of this node's cluster. */
export function fellowOf(hello: Hello, identity: Identity): PeerId | null {
  const isFellow = identity.clusterId !== null && hello.cluster === identity.clusterId;
  return isFellow ? asPeerId(hello.from) : null;
}
