import { expect } from 'chai';
import type { Cluster, Daemon, EventShown } from '../support/e2e/index.ts';
import {
  baselineIs,
  eventIs,
  eventsOf,
  explained,
  freePort,
  kindsOf,
  NotifyRuns,
  replaceFile,
  samplesTaken,
  TcpService,
  useWorkshop,
  waitFor,
  watchFlags,
} from '../support/e2e/index.ts';

describe('Five nodes that watch twenty keys of one TCP service', function () {
  this.timeout(150_000);
  const workshop = useWorkshop();
  const keys = Array.from({ length: 20 }, (_, i) => `service/${i + 1}`);
  let runs: NotifyRuns;
  let service: TcpService;
  let cluster: Cluster;
  let leader: Daemon;

  before(async function () {
    this.timeout(120_000);
    runs = new NotifyRuns(workshop.path('runs'));
    service = new TcpService(await freePort());
    await service.start();
    cluster = await workshop.started(5, {
      flags: [...watchFlags, '--verifyInterval=1', '--notifyOn=all'],
      env: runs.env,
    });
    await Promise.all(keys.map((key, i) => cluster.node((i % 5) + 1).set(key, service.address)));
  });
  after(() => service.stop());

  /** Every key's newest event is of this kind and ran on all five nodes. */
  async function allTold(to: string): Promise<EventShown[]> {
    return waitFor(`every key is ${to} and all nodes were told`, async () => {
      const newest = new Map<string, EventShown>();
      for (const event of await eventsOf(cluster.node(1))) {
        if (!newest.has(event.key)) newest.set(event.key, event);
      }
      const events = keys.map((key) => newest.get(key));
      const told = events.filter(
        (event) =>
          event?.to === to &&
          event.notification.state === 'done' &&
          event.notification.attempts.length === 5,
      );
      if (told.length !== keys.length) throw new Error(`${told.length} of ${keys.length} are`);
      return told.flatMap((event) => event ?? []);
    });
  }

  it('any node says what its leader decides about a key, and why', async () => {
    await baselineIs(cluster.node(1), keys, 'UP');
    const decidedBy = new Set<unknown>();
    for (const node of cluster.nodes) {
      const view = await explained(node, keys[0] ?? '', 'say UP');
      expect(view).to.include({ key: keys[0], state: 'UP', empty: false, waiting: null });
      expect(view.votes).to.have.length(5);
      decidedBy.add(view.decidedBy);
    }
    expect([...decidedBy]).to.have.length(1);
  });

  it('the first agreement is a baseline: no event, no run', async () => {
    for (const node of cluster.nodes) await baselineIs(node, keys, 'UP');
    expect(await eventsOf(cluster.node(1))).to.deep.equal([]);
    expect(runs.all()).to.deep.equal([]);
  });

  it('the service stops: one DOWN event a key, told to the leader and to each follower once', async () => {
    leader = await cluster.leader();
    await service.stop();
    for (const { from, value, evidence, notification } of await allTold('DOWN')) {
      expect([from, value]).to.deep.equal(['UP', service.address]);
      expect(evidence.quorum).to.equal(3);
      const counted = evidence.votes.filter((vote) => vote.counted);
      expect(counted.length).to.be.at.least(3);
      for (const { verdict } of counted) expect(verdict).to.equal('DOWN');
      const roles = notification.attempts.map(({ node, role }) => `${node} ${role}`);
      const wanted = cluster.nodes.map(
        (node) => `${node.id} ${node === leader ? 'leader' : 'follower'}`,
      );
      expect(roles.sort()).to.deep.equal(wanted.sort());
    }
  });

  it('the service starts again: one UP event a key', async () => {
    await service.start();
    for (const { from } of await allTold('UP')) expect(from).to.equal('DOWN');
  });

  it('it stays at these two events a key, the same on every node', async () => {
    await Promise.all(cluster.nodes.map((node) => samplesTaken(node, keys[0] ?? '', 3)));
    const shown = await eventsOf(cluster.node(1));
    expect(shown).to.have.length(2 * keys.length);
    for (const key of keys) {
      for (const node of cluster.nodes) {
        expect(await kindsOf(node, key)).to.deep.equal(['DOWN', 'UP']);
      }
    }
    for (const node of cluster.nodes) expect(await eventsOf(node)).to.deep.equal(shown);
  });

  it('each run got ROLE KEY VALUE STATUS, its environment and the event on standard input', async () => {
    const events = new Map((await eventsOf(leader)).map((event) => [event.id, event]));
    const all = runs.all();
    expect(all).to.have.length(2 * keys.length * cluster.nodes.length);
    for (const run of all) {
      const event = events.get(run.eventId);
      expect(event, `event ${run.eventId}`).to.not.equal(undefined);
      if (event === undefined) continue;
      const role = run.node === leader.id ? 'leader' : 'follower';
      expect(run.args).to.deep.equal([role, event.key, event.value, event.to]);
      expect(run).to.deep.include({ token: event.token, prevStatus: event.from, attempt: 1 });
      expect(run.valueRevision).to.equal(event.valueRevision);
      const { notification, ...told } = event;
      expect(notification.state).to.equal('done');
      expect(JSON.parse(run.stdin)).to.deep.equal(told);
    }
  });

  it('tokens are as wide as they are and grow with every event', async () => {
    const events = (await eventsOf(leader)).reverse();
    const tokens = events.map(({ token }) => token);
    for (const token of tokens) expect(token).to.match(/^\d{10}\.\d{16}$/);
    expect([...new Set(tokens)].sort()).to.deep.equal(tokens);
    const one = events[0];
    expect(await leader.json(`/events/${one?.id ?? 0}`)).to.deep.equal(one);
  });
});

describe('Notifications of one node', function () {
  this.timeout(150_000);
  const workshop = useWorkshop();
  let runs: NotifyRuns;
  let node: Daemon;

  before(async function () {
    this.timeout(120_000);
    runs = new NotifyRuns(workshop.path('runs'));
    const flags = [...watchFlags, '--gossipQuorum=1'];
    const cluster = await workshop.started(1, { flags, env: runs.env });
    node = cluster.node(1);
  });

  /** A key of this name whose verification says what its file holds. */
  async function watch(key: string, word: string): Promise<(next: string) => void> {
    const file = workshop.path(`${key}.word`);
    const say = (next: string): void => replaceFile(file, `${next}\n`);
    say(word);
    await node.set(key, `file:${file}`);
    if (word === 'UP' || word === 'DOWN') await baselineIs(node, [key], word);
    return say;
  }

  it('a failed script is run again after 5 s, and each attempt is recorded', async () => {
    const say = await watch('retry', 'UP');
    runs.exitWith('retry', 7);
    say('DOWN');
    const failed = await waitFor('the first attempt has failed', async () => {
      const [event] = await eventsOf(node, 'retry');
      return event?.notification.attempts[0]?.exitCode === 7 && event;
    });
    expect(failed.notification.state).to.equal('pending');
    runs.exitWith('retry', 0);
    const done = await eventIs(node, 'retry', { to: 'DOWN', state: 'done' });
    const { attempts } = done.notification;
    expect(attempts.map(({ exitCode }) => exitCode)).to.deep.equal([7, 0]);
    expect(attempts[0]).to.deep.include({ output: 'ran for retry\n', role: 'leader' });
    const told = runs.of('retry').map(({ attempt, token }) => [attempt, token]);
    expect(told).to.deep.equal([
      [1, done.token],
      [2, done.token],
    ]);
  });

  it('exit code 100 gives up: failed, not run again, and the next event follows', async () => {
    const say = await watch('hopeless', 'UP');
    runs.exitWith('hopeless', 100);
    say('DOWN');
    await eventIs(node, 'hopeless', { to: 'DOWN', state: 'failed' });
    expect(runs.of('hopeless')).to.have.length(1);
    runs.exitWith('hopeless', 0);
    say('UP');
    await eventIs(node, 'hopeless', { to: 'UP', state: 'done' });
    expect(runs.of('hopeless').map(({ args }) => args.at(-1))).to.deep.equal(['DOWN', 'UP']);
  });

  it('an attempt whose reason has reverted is superseded, and the opposite event follows', async () => {
    const say = await watch('revert', 'UP');
    runs.exitWith('revert', 1);
    say('DOWN');
    await waitFor('the first attempt has failed', () => runs.of('revert').length === 1);
    say('UP');
    await waitFor('the DOWN event is superseded', async () => {
      const events = await eventsOf(node, 'revert');
      return events.some(
        ({ to, notification }) => to === 'DOWN' && notification.state === 'superseded',
      );
    });
    runs.exitWith('revert', 0);
    const up = await eventIs(node, 'revert', { to: 'UP', state: 'done' });
    expect(await kindsOf(node, 'revert')).to.deep.equal(['DOWN', 'UP']);
    expect(up.notification.attempts.at(-1)).to.include({ exitCode: 0 });
  });

  it('while a script runs no event of its key is decided, and the script is not killed', async () => {
    const say = await watch('slow', 'UP');
    runs.hold('slow');
    say('DOWN');
    await eventIs(node, 'slow', { to: 'DOWN', state: 'running' });
    say('UP');
    await samplesTaken(node, 'slow', 5);
    expect(await kindsOf(node, 'slow')).to.deep.equal(['DOWN']);
    runs.release('slow');
    await eventIs(node, 'slow', { to: 'UP', state: 'done' });
    const [down] = (await eventsOf(node, 'slow')).reverse();
    expect(down?.notification.attempts).to.have.length(1);
    expect(down?.notification.attempts[0]).to.include({ exitCode: 0, signal: null });
  });

  it('EMPTY is a flag with events of its own; a key that cannot tell keeps its state', async () => {
    const say = await watch('blind', 'UP');
    say('whatever');
    await eventIs(node, 'blind', { to: 'EMPTY', state: 'done' });
    const shown = await node.json<Record<string, unknown>>('/gossipstatus/blind');
    expect(shown['blind']).to.include({ PrevConsensus: 'UP', Empty: true });
    say('UP');
    await eventIs(node, 'blind', { to: 'EMPTY_RECOVER', state: 'done' });
    expect(runs.of('blind').map(({ args }) => args)).to.deep.equal([
      ['leader', 'blind', `file:${workshop.path('blind.word')}`, 'EMPTY'],
      ['leader', 'blind', `file:${workshop.path('blind.word')}`, 'EMPTY_RECOVER'],
    ]);
  });

  it('the same bytes change nothing; other bytes are judged anew from the state before', async () => {
    const say = await watch('again', 'UP');
    const other = workshop.path('other.word');
    replaceFile(other, 'DOWN\n');
    const before = await node.json('/detectordata/again');
    await node.set('again', `file:${workshop.path('again.word')}`);
    const samples = (await node.json<Record<string, unknown[]>>('/detectordata/again'))['again'];
    expect(samples, JSON.stringify(before)).to.have.length.of.at.least(2);
    await node.set('again', `file:${other}`);
    const { value } = await eventIs(node, 'again', { to: 'DOWN', state: 'done' });
    expect(value).to.equal(`file:${other}`);
    say('UP');
    expect(await kindsOf(node, 'again')).to.deep.equal(['DOWN']);
  });

  it('a deleted key is forgotten: created again, it begins with a silent baseline', async () => {
    await watch('gone', 'UP');
    await node.del('gone');
    await waitFor('its samples are gone', async () => {
      return (await node.ask('/detectordata/gone')).status === 404;
    });
    await watch('gone', 'DOWN');
    await samplesTaken(node, 'gone', 3);
    expect(await eventsOf(node, 'gone')).to.deep.equal([]);
    expect(runs.of('gone')).to.deep.equal([]);
  });
});

describe('Notifications of three nodes', function () {
  this.timeout(150_000);
  const workshop = useWorkshop();

  it('run on the leader alone unless --notifyOn says all, without ROLE when --notifyArgs=plain', async () => {
    const runs = new NotifyRuns(workshop.path('runs'));
    const flags = [...watchFlags, '--notifyArgs=plain'];
    const cluster = await workshop.started(3, { flags, env: runs.env });
    const word = workshop.path('word');
    replaceFile(word, 'UP\n');
    await cluster.node(1).set('k', `file:${word}`);
    await baselineIs(cluster.node(1), ['k'], 'UP');
    const leader = await cluster.leader();
    replaceFile(word, 'DOWN\n');
    await eventIs(cluster.node(1), 'k', { to: 'DOWN', state: 'done' });
    replaceFile(word, 'UP\n');
    await eventIs(cluster.node(1), 'k', { to: 'UP', state: 'done' });
    const told = runs.all().map(({ node, args }) => [node, ...args]);
    expect(told).to.deep.equal([
      [leader.id, 'k', `file:${word}`, 'DOWN'],
      [leader.id, 'k', `file:${word}`, 'UP'],
    ]);
  });

  it('need a quorum: one node that sees DOWN alone changes nothing', async () => {
    const runs = new NotifyRuns(workshop.path('lonely'));
    const cluster = await workshop.started(3, { flags: watchFlags, env: runs.env });
    const word = workshop.path('lonely.word');
    replaceFile(word, 'UP\n');
    await cluster.node(1).set('k', `file:${word}`);
    await baselineIs(cluster.node(1), ['k'], 'UP');
    replaceFile(`${word}.node2`, 'DOWN\n');
    await waitFor('node2 says DOWN and others hear it', async () => {
      const path = '/gossipstatus/k';
      const shown = await cluster.node(1).json<Record<string, Consensus>>(path);
      return shown['k']?.Consensus[cluster.node(2).gossip]?.GossipStatus === 'DOWN';
    });
    await Promise.all(cluster.nodes.map((node) => samplesTaken(node, 'k', 4)));
    expect(await eventsOf(cluster.node(1))).to.deep.equal([]);
    replaceFile(`${word}.node3`, 'DOWN\n');
    await eventIs(cluster.node(1), 'k', { to: 'DOWN', state: 'done' });
    expect(runs.all()).to.have.length(1);
  });
});

interface Consensus {
  readonly Consensus: Readonly<Record<string, { readonly GossipStatus: string }>>;
}
