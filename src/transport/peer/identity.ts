import { asClusterId, asPeerId, isSameOrigin, lineageOf } from '../../shared/index.ts';
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

/** Of two lineages of one cluster the later one goes on: its nodes and the others are told so. */
function clusterRefusal({ cluster, from }: Hello, { self, clusterId }: OwnCluster): string {
  const theirs = asClusterId(cluster);
  if (!isSameOrigin(theirs, clusterId)) return `its cluster is '${cluster}', not '${clusterId}'`;
  const [older, newer] =
    lineageOf(theirs) < lineageOf(clusterId) ? [from, clusterId] : [self, theirs];
  const name = older.slice(0, older.lastIndexOf('@'));
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
