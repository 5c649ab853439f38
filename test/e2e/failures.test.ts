import { expect } from 'chai';
import type { Cluster, Daemon } from '../support/e2e/index.ts';
import {
  baselineIs,
  eventIs,
  eventsOf,
  kindsOf,
  NotifyRuns,
  query,
  replaceFile,
  samplesTaken,
  useWorkshop,
  waitFor,
  watchFlags,
  Writer,
} from '../support/e2e/index.ts';

describe('Writes to three processes that are killed, stopped and frozen', function () {
  this.timeout(240_000);
  const workshop = useWorkshop();
  let cluster: Cluster;
  let writers: Writer[] = [];

  before(async function () {
    this.timeout(120_000);
    cluster = await workshop.started(3);
  });
  afterEach(() => Promise.all(writers.map((writer) => writer.stop())));

  /** One writer for each of these nodes, which may come and go. */
  async function startWriters(nodes: readonly Daemon[]): Promise<void> {
    const prefix = `w${Math.floor(performance.now())}`;
    writers = nodes.map((node) => new Writer(`${prefix}/${node.id}`, node).start());
    await Promise.all(writers.map((writer) => writer.progresses(20)));
  }

  /** Every node has all that was acknowledged. */
  async function nothingIsLost(): Promise<void> {
    for (const writer of writers) await writer.stop();
    for (const writer of writers) {
      expect(writer.acknowledged.size).to.be.above(0);
      for (const node of cluster.running) expect(await writer.missingOn(node)).to.deep.equal([]);
    }
  }

  it('kill -9 of a follower loses nothing acknowledged, and the others do not wait for it', async () => {
    const [victim] = await cluster.followers();
    await startWriters(cluster.nodes);
    await victim?.kill();
    await Promise.all(writersBut(victim).map((writer) => writer.progresses(30)));
    victim?.start();
    await cluster.settled();
    await nothingIsLost();
  });

  it('kill -9 of the leader loses nothing acknowledged; another one leads and writes go on', async () => {
    const leader = await cluster.leader();
    await startWriters(cluster.nodes);
    await leader.kill();
    expect(await cluster.leader()).to.not.equal(leader);
    await Promise.all(writersBut(leader).map((writer) => writer.progresses(30)));
    leader.start();
    await cluster.settled();
    await nothingIsLost();
  });

  it('kill -9 of all at once loses nothing acknowledged, time and again', async () => {
    for (let round = 0; round < 3; round++) {
      await startWriters(cluster.nodes);
      await cluster.kill();
      await cluster.start();
      await nothingIsLost();
    }
  });

  it('a rolling restart loses nothing acknowledged, and each node ends with 0', async () => {
    await startWriters(cluster.nodes);
    const leader = await cluster.leader();
    for (const node of [leader, ...cluster.nodes.filter((one) => one !== leader)]) {
      expect(await node.stop(), `${node.id} ends`).to.equal(0);
      node.start();
      await cluster.settled();
    }
    await nothingIsLost();
  });

  it('a frozen leader is replaced; awake again it follows, and what it took meanwhile is not said to be done', async () => {
    const leader = await cluster.leader();
    const others = cluster.nodes.filter((node) => node !== leader);
    await startWriters(cluster.nodes);
    leader.signal('SIGSTOP');
    expect(await cluster.leader(others)).to.not.equal(leader);
    await Promise.all(writersBut(leader).map((writer) => writer.progresses(30)));
    leader.signal('SIGCONT');
    await cluster.settled();
    await nothingIsLost();
  });

  it('without a majority nothing is accepted, local reads go on, and all is well when one is back', async () => {
    const [left, back, later] = [cluster.node(1), cluster.node(2), cluster.node(3)];
    await left.set('k', 'before');
    expect(await left.get('k')).to.equal('before');
    await Promise.all([back.kill(), later.kill()]);
    const refused = await waitFor('a write is refused for want of a leader', async () => {
      const answer = await left.ask(`/set?${query({ key: 'k', value: 'after', timeout: 1 })}`);
      return answer.status === 503 && answer;
    });
    expect(refused.text).to.equal('no leader\n');
    expect(Number(refused.headers['retry-after'])).to.be.above(0);
    expect((await left.ask('/get?key=k&timeout=1')).status).to.equal(503);
    expect(await left.get('k', 'local')).to.equal('before');
    expect((await left.ask('/leader')).text).to.equal('error no leader\n');
    expect((await left.ask('/readyz')).status).to.equal(503);
    back.start();
    await waitFor('a write is accepted', async () => {
      await left.set('k', 'again');
      return true;
    });
    later.start();
    await cluster.settled();
    for (const node of cluster.nodes) expect(await node.get('k')).to.equal('again');
  });

  const writersBut = (victim: Daemon | undefined): Writer[] =>
    writers.filter(({ node }) => node !== victim);
});

describe('Events of three processes that are killed, stopped and frozen', function () {
  this.timeout(240_000);
  const workshop = useWorkshop();
  const watched = ['calm', 'moved', 'slow', 'rolling'];
  let runs: NotifyRuns;
  let cluster: Cluster;

  const wordFile = (key: string): string => workshop.path(`${key}.word`);
  const say = (key: string, word: string): void => replaceFile(wordFile(key), `${word}\n`);

  before(async function () {
    this.timeout(120_000);
    runs = new NotifyRuns(workshop.path('runs'));
    cluster = await workshop.started(3, { flags: watchFlags, env: runs.env });
    for (const key of watched) {
      say(key, 'UP');
      await cluster.node(1).set(key, `file:${wordFile(key)}`);
    }
    await baselineIs(cluster.node(1), watched, 'UP');
  });

  /** These are all events of the key, on every node, and stay so while samples are taken. */
  async function eventsAre(key: string, wanted: readonly string[]): Promise<void> {
    await Promise.all(cluster.nodes.map((node) => samplesTaken(node, key, 4)));
    for (const node of cluster.nodes) expect(await kindsOf(node, key)).to.deep.equal(wanted);
  }

  it('kill -9 of all at once: no event is decided twice, and the next one is decided', async () => {
    say('moved', 'DOWN');
    const { id } = await eventIs(cluster.node(1), 'moved', { to: 'DOWN', state: 'done' });
    await cluster.kill();
    await cluster.start();
    await eventsAre('moved', ['DOWN']);
    expect((await eventsOf(cluster.node(2), 'moved'))[0]?.id).to.equal(id);
    expect(runs.of('moved')).to.have.length(1);
    say('moved', 'UP');
    await eventIs(cluster.node(1), 'moved', { to: 'UP', state: 'done' });
    await eventsAre('moved', ['DOWN', 'UP']);
    await eventsAre('calm', []);
  });

  it('kill -9 of the leader while its script runs: one event, told again by another leader', async () => {
    const leader = await cluster.leader();
    runs.hold('slow');
    say('slow', 'DOWN');
    await eventIs(leader, 'slow', { to: 'DOWN', state: 'running' });
    await waitFor('the script has begun', () => runs.of('slow').length === 1);
    await leader.kill();
    const next = await cluster.leader();
    runs.release('slow');
    const { token } = await eventIs(next, 'slow', { to: 'DOWN', state: 'done' });
    leader.start();
    await cluster.settled();
    await eventsAre('slow', ['DOWN']);
    await eventsAre('calm', []);
    const told = runs.of('slow');
    expect(told.map((run) => run.token)).to.deep.equal([token, token]);
    expect(told.map(({ attempt }) => attempt)).to.deep.equal([1, 2]);
    for (const { args } of told) expect([args[0], args[3]]).to.deep.equal(['leader', 'DOWN']);
  });

  it('one real failure during a rolling restart gives exactly one event', async () => {
    const first = await cluster.leader();
    const order = [first, ...cluster.nodes.filter((node) => node !== first)];
    for (const [i, node] of order.entries()) {
      expect(await node.stop(), `${node.id} ends`).to.equal(0);
      if (i === 1) say('rolling', 'DOWN');
      node.start();
      await cluster.settled();
    }
    await eventIs(cluster.node(1), 'rolling', { to: 'DOWN', state: 'done' });
    await eventsAre('rolling', ['DOWN']);
    await eventsAre('calm', []);
    expect(runs.of('rolling')).to.have.length(1);
  });

  it('a frozen leader abstains when it is awake again, and decides nothing from what it knew', async () => {
    const leader = await cluster.leader();
    const others = cluster.nodes.filter((node) => node !== leader);
    leader.signal('SIGSTOP');
    await cluster.leader(others);
    await Promise.all(others.map((node) => samplesTaken(node, 'calm', 8)));
    leader.signal('SIGCONT');
    await leader.said('This process did not run in time');
    await cluster.settled();
    await eventsAre('calm', []);
  });
});
