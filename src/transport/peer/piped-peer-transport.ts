import type { RaftMessage } from '../../raft/index.ts';
import { assert, QuorateError } from '../../shared/index.ts';
import type { ClusterId, PeerId } from '../../shared/index.ts';
import { AddressCall } from './address-call.ts';
import { checkCall } from './call-check.ts';
import type { Identity } from './identity.ts';
import type { LinkContext } from './link.ts';
import { LogGate } from './log-gate.ts';
import { PeerLinks } from './peer-links.ts';
import { PeerServer } from './peer-server.ts';
import type { Pipes } from './pipes.ts';
import type {
  CallMethod,
  PeerHandlers,
  PeerLinkStatus,
  PeerTransport,
  PeerTransportInit,
  SnapshotSource,
} from './peer-transport.ts';
import { SnapshotSender } from './snapshot-sender.ts';

/**
 * The peer transport above its pipes. Each node dials each peer and sends on the streams it
 * opened itself: what a peer answers to Raft messages comes on that peer's own streams.
 */
export class PipedPeerTransport implements PeerTransport {
  readonly #init: PeerTransportInit;
  readonly #context: LinkContext;
  #identity: Identity;
  #server: PeerServer | null = null;
  #handlers: PeerHandlers | null = null;
  #isServing = false;
  #isStopped = false;
  #addresses: ReadonlyMap<PeerId, string> = new Map();
  /** Empty until this node serves and knows its cluster. */
  readonly #links = new Map<PeerId, PeerLinks>();
  readonly #snapshots = new Set<SnapshotSender>();
  readonly #addressCalls = new Set<AddressCall>();

  constructor(init: PeerTransportInit, pipes: Pipes) {
    const { clock, logger, random } = init;
    this.#init = init;
    this.#identity = { self: init.self, clusterId: init.clusterId, address: init.advertise };
    this.#context = {
      identity: () => this.#identity,
      pipes,
      clock,
      logger,
      random,
      logGate: new LogGate(clock),
      onOutdated: (by) => this.#handlers?.onOutdated?.(by),
    };
  }

  async start(handlers: PeerHandlers): Promise<void> {
    assert(this.#server === null, 'A peer transport starts once');
    const server = new PeerServer({
      ...this.#context,
      handlers,
      onGreeted: (peer) => this.#links.get(peer)?.hurry(),
    });
    this.#server = server;
    this.#handlers = handlers;
    await this.#context.pipes.serve(this.#init.listen, (rpc, pipe) => server.accept(rpc, pipe));
    this.#isServing = true;
    this.#dial();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const links of this.#links.values()) links.close();
    this.#links.clear();
    for (const snapshot of this.#snapshots) snapshot.stop('this node stops');
    for (const call of this.#addressCalls) call.stop();
    await this.#context.pipes.stop();
  }

  setIdentity(clusterId: ClusterId): void {
    const known = this.#identity.clusterId;
    assert(known === null || known === clusterId, 'A node belongs to one cluster for ever');
    this.#identity = { ...this.#identity, clusterId };
    this.#dial();
  }

  setPeers(addresses: ReadonlyMap<PeerId, string>): void {
    this.#addresses = new Map(addresses);
    this.#dial();
  }

  send(message: RaftMessage): void {
    this.#links.get(message.to)?.send(message);
  }

  async call(
    to: PeerId,
    method: CallMethod,
    body: Uint8Array,
    timeoutMs: number,
  ): Promise<Uint8Array> {
    checkCall(method, body);
    if (this.#isStopped) throw stopped();
    const links = this.#links.get(to);
    if (links === undefined) throw unknownPeer(`call '${to}'`);
    return links.call(method, body, timeoutMs);
  }

  async callAddress(
    address: string,
    method: CallMethod,
    body: Uint8Array,
    timeoutMs: number,
  ): Promise<Uint8Array> {
    checkCall(method, body);
    if (this.#isStopped) throw stopped();
    const request = { id: 1, method, body };
    const call = new AddressCall(this.#context, { address, request, timeoutMs });
    this.#addressCalls.add(call);
    try {
      return await call.done;
    } finally {
      this.#addressCalls.delete(call);
    }
  }

  async sendSnapshot(to: PeerId, source: SnapshotSource, signal: AbortSignal): Promise<void> {
    const address = this.#addresses.get(to);
    if (this.#isStopped || signal.aborted) throw stopped();
    if (address === undefined || this.#identity.clusterId === null) {
      throw unknownPeer(`send a snapshot to '${to}'`);
    }
    const sender = new SnapshotSender(
      this.#context,
      { rpc: 'Snapshot', peer: to, address },
      source,
    );
    const abort = (): void => sender.stop('it was called off');
    signal.addEventListener('abort', abort);
    this.#snapshots.add(sender);
    try {
      await sender.done;
    } finally {
      signal.removeEventListener('abort', abort);
      this.#snapshots.delete(sender);
    }
  }

  status(): readonly PeerLinkStatus[] {
    return Array.from(this.#links.values(), (links) => links.status());
  }

  /** Brings the links in line with the peers that are to be dialled now. */
  #dial(): void {
    if (!this.#isServing || this.#isStopped || this.#identity.clusterId === null) return;
    for (const [peer, links] of this.#links) {
      if (this.#addresses.get(peer) === links.address) continue;
      links.close();
      this.#links.delete(peer);
    }
    for (const [peer, address] of this.#addresses) {
      if (peer === this.#identity.self || this.#links.has(peer)) continue;
      this.#links.set(peer, new PeerLinks(this.#context, peer, address));
    }
  }
}

function stopped(): QuorateError {
  return new QuorateError('STOPPED', 'Cannot talk to peers as asked: the transport is stopped');
}

function unknownPeer(action: string): QuorateError {
  return new QuorateError('UNREACHABLE', `Cannot ${action} as asked: no address of it is known`);
}
