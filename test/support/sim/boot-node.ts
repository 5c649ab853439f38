import { DataDirectory } from '../../../src/node/cluster/data-directory.ts';
import type { ReplicaInit } from '../../../src/node/replica/index.ts';
import { Replica } from '../../../src/node/replica/index.ts';
import type { Configuration, RaftMessage } from '../../../src/raft/index.ts';
import type { PeerId } from '../../../src/shared/index.ts';
import { QuorateError } from '../../../src/shared/index.ts';
import { createMemoryPeerTransport } from '../../../src/transport/index.ts';
import type { PeerHandlers, PeerTransport } from '../../../src/transport/index.ts';
import type { Watched } from './checker.ts';
import { Transfers } from './conduct.ts';
import { addFault } from './counts.ts';
import type { Life } from './life.ts';
import { tracingLogger } from './node-log.ts';
import { observedTransport } from './observed-transport.ts';
import { tinySettings } from './profile.ts';
import type { SimDisk } from './sim-disk.ts';
import { openSimLog } from './sim-log.ts';
import type { Moment, SimNodeInit } from './sim-node-init.ts';

const dataDirectory = '/data';

type Mount = Pick<ReplicaInit, 'files' | 'kvFactory' | 'log'>;

/** A node that is up. */
export interface Running extends Watched {
  readonly transport: PeerTransport;
  readonly directory: DataDirectory;
}

/** Who starts, on what, and what it tells of itself. */
export interface Booting {
  readonly self: PeerId;
  readonly disk: SimDisk;
  readonly life: Life;
  /** null: not up yet, or not any more. */
  readonly replica: () => Replica | null;
  readonly setPeers: (transport: PeerTransport, configuration: Configuration) => void;
  readonly deliver: (message: RaftMessage) => void;
  readonly onMoment: (moment: Moment) => void;
  readonly onFatal: (error: unknown) => void;
}

/** Starts the production replica on a disk and a network that fail. Throws what the replica throws. */
export async function bootNode(init: SimNodeInit, booting: Booting): Promise<Running> {
  const { self, disk } = booting;
  const files = disk.files.mount();
  const kvFactory = disk.kv.mount();
  const directory = await DataDirectory.open({
    files,
    kvFactory,
    path: dataDirectory,
    logSettings: tinySettings(init.profile).log,
    logger: tracingLogger(init.world, self),
  });
  const transfers = new Transfers();
  const log = await openSimLog({
    init,
    self,
    disk,
    directory,
    transfers,
    view: () => booting.replica()?.view,
    onMoment: booting.onMoment,
  });
  const transport = makeTransport(init, booting);
  await transport.start(handlersOf(booting));
  const mount = { files, kvFactory, log };
  const replica = await openReplica(init, booting, { mount, transport, transfers });
  return { self, replica, transport, directory, isStopping: false };
}

interface Parts {
  readonly mount: Mount;
  readonly transport: PeerTransport;
  readonly transfers: Transfers;
}

function openReplica(
  init: SimNodeInit,
  booting: Booting,
  { mount, transport, transfers }: Parts,
): Promise<Replica> {
  const { world } = init;
  const { self, life } = booting;
  return Replica.open({
    ...mount,
    clock: life.clock,
    random: world.fork(),
    logger: tracingLogger(world, self),
    transport: observedTransport(transport, {
      world,
      life,
      name: self,
      profile: init.profile,
      transfers,
      onFault: (fault) => addFault(init.faults, fault),
      deliver: booting.deliver,
      onSnapshotSent: (sent) => init.onSnapshotSent({ from: self, ...sent }),
      onSend: (message) => {
        init.checker.onSend(self, message);
        if (message.kind === 'voteResponse' && message.granted) booting.onMoment('voted');
      },
    }),
    dataDirectory,
    settings: tinySettings(init.profile),
    events: eventsOf(init, booting, transport),
  });
}

function eventsOf(
  { world, checker, counts }: SimNodeInit,
  { self, replica, setPeers, onMoment, onFatal }: Booting,
  transport: PeerTransport,
): ReplicaInit['events'] {
  return {
    onNotices: () => undefined,
    onRoleChange: ({ role, leader, term }) => {
      world.note(`${self} is ${role} in term ${term}, leader ${leader ?? '-'}`);
      if (role === 'preCandidate') counts.campaigns++;
      if (role !== 'leader') return;
      checker.onLeader(self, term);
      onMoment('leads');
    },
    onConfiguration: ({ configuration }) => setPeers(transport, configuration),
    onStateReplaced: () => {
      world.note(`${self} installed a snapshot`);
      counts.installs++;
      checker.onInstalled(self, replica()?.view);
      onMoment('installed');
    },
    onFatal,
  };
}

function makeTransport(
  { world, network, clusterId, member }: SimNodeInit,
  { self, life }: Booting,
): PeerTransport {
  return createMemoryPeerTransport(
    {
      self,
      clusterId,
      listen: member.raftAddress,
      advertise: member.raftAddress,
      logger: tracingLogger(world, self),
      clock: life.clock,
      random: world.fork(),
    },
    network.memory,
  );
}

function handlersOf(booting: Booting): PeerHandlers {
  const { life, replica } = booting;
  return {
    onMessages: (messages) => life.pass(() => replica()?.receive(messages)),
    onCall: (_from, _method, body) => inLife(booting, (one) => one.onPropose(body)),
    onSnapshot: (from, offer) => inLife(booting, (one) => one.onSnapshot(from, offer)),
  };
}

function inLife<T>({ life, replica }: Booting, run: (up: Replica) => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    life.pass(() => {
      const up = replica();
      if (up !== null) run(up).then(resolve, reject);
      else reject(new QuorateError('NO_LEADER', 'Cannot answer: no cluster yet'));
    });
  });
}
