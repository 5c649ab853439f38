import type { LogBase, MemberChange } from '../../../src/raft/index.ts';
import { asIndex, asNodeId, asTerm, assert } from '../../../src/shared/index.ts';
import { member, peer } from '../raft-fixtures.ts';
import type { RaftNode } from '../raft-node.ts';
import { filterOf } from './filter.ts';
import { showNetwork, showNode, showPeers } from './show.ts';
import type { Stage } from './stage.ts';
import { nameOf } from './words.ts';

/** What a transcript can ask for: a word, then its arguments. */
type Command = (stage: Stage, words: readonly string[]) => void;

const TICK_MS = 10;

const numberOf = (word: string | undefined): number => {
  const number = Number(word);
  assert(Number.isFinite(number), `${String(word)} must be a number`);
  return number;
};

/** `all`, or names joined by commas. */
const nodesOf = (stage: Stage, names = 'all'): readonly RaftNode[] =>
  names === 'all' ? stage.cluster.live : names.split(',').map((name) => stage.node(name));

function tick(stage: Stage, [names, durationMs]: readonly string[]): void {
  for (let passed = 0; passed < numberOf(durationMs); passed += TICK_MS) {
    for (const node of nodesOf(stage, names)) {
      stage.act(node, () => node.step({ kind: 'tick', elapsedMs: TICK_MS }));
    }
  }
}

/** Time passes for one node alone until it asks whether it may stand. */
function campaign(stage: Stage, [name]: readonly string[]): void {
  const node = stage.node(name);
  for (let passed = 0; node.view.role === 'follower'; passed += TICK_MS) {
    assert(passed < 2_000, `${nameOf(node.id)} must time out within 2 s`);
    node.step({ kind: 'tick', elapsedMs: TICK_MS });
  }
}

function change(stage: Stage, [name, ...words]: readonly string[]): void {
  const wanted = words.join(' ').split(', ');
  const changes = wanted.map((one): MemberChange => {
    const [kind = '', who = '', port = who] = one.split(' ');
    if (kind === 'learner' || kind === 'observer') {
      return { kind: 'add', member: member(who, kind, port) };
    }
    assert(kind === 'promote' || kind === 'remove', `${kind} must be a change of members`);
    return { kind, nodeId: asNodeId(who) };
  });
  const tag = stage.cluster.nextTag++;
  stage.node(name).step({ kind: 'changeMembers', tag, changes });
}

function persist(stage: Stage, [name, count]: readonly string[]): void {
  const node = stage.node(name);
  stage.act(node, () => node.persist(count === undefined ? Infinity : numberOf(count)));
  stage.say(`${nameOf(node.id)} has writes to wait for: ${node.writes.length}`);
}

/** A snapshot at `index@term` lies ready on a node, as one that arrived late would. */
function offer(stage: Stage, [name, at = '', from = 'a']: readonly string[]): void {
  const [index, term] = at.split('@').map(Number);
  const node = stage.node(name);
  const { state, disk } = stage.node(from);
  const base: LogBase = {
    index: asIndex(numberOf(String(index))),
    term: asTerm(numberOf(String(term))),
    configuration: disk.base.configuration,
  };
  node.arrived = { base, state: state.slice(0, base.index + 1) };
  const sender = peer(from);
  stage.act(node, () =>
    node.step({ kind: 'snapshotReceived', from: sender, term: node.view.term, base }),
  );
}

function show(stage: Stage, [what, ...names]: readonly string[]): void {
  if (what === 'network') {
    showNetwork(stage);
    return;
  }
  if (what === 'peers') {
    showPeers(stage, stage.node(names[0]));
    return;
  }
  const wanted = what === undefined ? [...stage.cluster.nodes.values()] : nodesOf(stage, what);
  for (const node of wanted) showNode(stage, node);
}

/** Messages that were held back arrive, and what follows from them. */
function release(stage: Stage, words: readonly string[]): void {
  const isMeant = filterOf(words);
  stage.holds = [];
  const { cluster } = stage;
  const waiting = cluster.network;
  cluster.network = stage.held.filter(isMeant);
  stage.held = stage.held.filter((message) => !isMeant(message));
  stage.deliverOnce(() => true);
  cluster.network = [...waiting, ...cluster.network];
}

const time: Readonly<Record<string, Command>> = {
  tick,
  campaign,
  /** Time passes in one leap, as for a process that stood still. */
  stall: (stage, [name, elapsedMs]) => {
    stage.node(name).step({ kind: 'tick', elapsedMs: numberOf(elapsedMs) });
  },
  elect: (stage, [name = '']) => stage.briefly(() => stage.cluster.elect(name)),
  run: (stage, [durationMs]) => stage.briefly(() => stage.cluster.run(numberOf(durationMs))),
};

const requests: Readonly<Record<string, Command>> = {
  propose: (stage, [name, ...texts]) => stage.cluster.propose(stage.node(name), ...texts),
  read: (stage, [name]) => void stage.cluster.read(stage.node(name)),
  /** Answered at once when the leader holds a lease. */
  'read-by-lease': (stage, [name]) => void stage.cluster.readByLease(stage.node(name)),
  transfer: (stage, [name, to = null]) => void stage.cluster.transfer(stage.node(name), to),
  change,
  show,
};

const network: Readonly<Record<string, Command>> = {
  deliver: (stage, words) => stage.deliver(filterOf(words)),
  /** Only what is on its way now. */
  'deliver-once': (stage, words) => stage.deliverOnce(filterOf(words)),
  drop: (stage, words) => {
    for (const message of stage.take(filterOf(words))) {
      stage.say(
        `${nameOf(message.from)} -> ${nameOf(message.to)}  ${stage.sayingOf(message)} (lost)`,
      );
    }
  },
  lose: (stage, words) => void stage.losses.push(filterOf(words)),
  isolate: (stage, [names]) => void stage.losses.push(filterOf([`${names ?? ''}<->*`])),
  heal: (stage) => void (stage.losses = []),
  /** From here on such messages wait until they are released. */
  hold: (stage, words) => void stage.holds.push(filterOf(words)),
  /** A second copy of what is on its way waits until it is released. */
  copy: (stage, words) => void stage.held.push(...stage.cluster.network.filter(filterOf(words))),
  release,
};

const disks: Readonly<Record<string, Command>> = {
  'disk-late': (stage, [name]) => void (stage.node(name).persistsAtOnce = false),
  'disk-prompt': (stage, [name]) => {
    stage.node(name).persistsAtOnce = true;
    persist(stage, [name ?? '']);
  },
  persist,
  'disk-stalled': (stage, [name]) => void stage.node(name).step({ kind: 'diskStalled' }),
  'disk-ok': (stage, [name]) => void stage.node(name).step({ kind: 'diskOk' }),
  crash: (stage, [names]) => {
    for (const node of nodesOf(stage, names)) node.crash();
  },
  restart: (stage, [names = '']) => {
    for (const name of names.split(',')) stage.node(name).restart();
  },
  compact: (stage, [name, index]) => stage.node(name).compact(numberOf(index)),
  'snapshots-wait': (stage) => void (stage.cluster.sendsSnapshotsAtOnce = false),
  'snapshot-arrives': (stage) => stage.cluster.endSnapshot(true),
  'snapshot-fails': (stage) => stage.cluster.endSnapshot(false),
  offer,
};

const commands: Readonly<Record<string, Command>> = { ...time, ...requests, ...network, ...disks };

/** Does what one line asks for. */
export function perform(stage: Stage, line: string): void {
  const [word = '', ...words] = line.split(' ');
  const command = commands[word];
  assert(command !== undefined, `${word} must be one of ${Object.keys(commands).join(', ')}`);
  command(stage, words);
}
