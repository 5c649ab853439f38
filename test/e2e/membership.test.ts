import { expect } from 'chai';
import type { Cluster, Daemon, Member } from '../support/e2e/index.ts';
import {
  baselineIs,
  eventIs,
  eventsOf,
  freePort,
  freePorts,
  NotifyRuns,
  query,
  replaceFile,
  samplesTaken,
  useWorkshop,
  waitFor,
  watchFlags,
} from '../support/e2e/index.ts';

async function memberOf(node: Daemon, id: string): Promise<Member | undefined> {
  return (await node.json<Member[]>('/members')).find((member) => member.id === id);
}

async function refusal(
  node: Daemon,
  route: string,
  parameters: Readonly<Record<string, string | number>>,
): Promise<[number, string]> {
  const { status, text } = await node.ask(`${route}?${query(parameters)}`, { method: 'POST' });
  return [status, text];
}

describe('Members that come and go', function () {
  this.timeout(150_000);
  const workshop = useWorkshop();
  let cluster: Cluster;

  before(async function () {
    this.timeout(120_000);
    cluster = await workshop.started(3);
    await cluster.node(1).set('k', 'v');
  });

  it('a further node joins by its flags alone and serves what the others have', async () => {
    const further = cluster.add('node4', await freePorts(), cluster.joinFlags);
    further.start();
    await cluster.settled();
    expect((await memberOf(further, 'node4'))?.role).to.equal('voter');
    expect(await further.get('k', 'local')).to.equal('v');
    await further.set('from', 'node4');
    expect(await cluster.node(1).get('from')).to.equal('node4');
  });

  it('one that knows only a gossip address joins as well', async () => {
    const flags = [`--gossipJoin=${cluster.node(2).gossip}`];
    const further = cluster.add('node5', await freePorts(), flags);
    further.start();
    await cluster.settled();
    expect((await memberOf(cluster.node(1), 'node5'))?.role).to.equal('voter');
  });

  it('/join from outside makes a node without any address a member', async () => {
    const further = cluster.add('node6', await freePorts(), []);
    further.start();
    await further.said('waiting for /join');
    await cluster.node(3).change('/join', { peerAddress: further.raft, timeout: 20 });
    await cluster.settled();
    expect(await further.get('k')).to.equal('v');
    await cluster.node(3).change('/join', { peerAddress: further.raft }); // It is one: ok again.
  });

  it('/leave removes a member, which says so and stays out', async () => {
    const gone = cluster.node(6);
    await cluster.node(2).change('/leave', { peerAddress: gone.raft });
    expect(await cluster.node(1).json('/raftnodes')).to.not.include(gone.raft);
    await waitFor('the removed node says so', async () => {
      const { status, text } = await gone.ask('/readyz');
      return status === 503 && text.includes('removed');
    });
    await waitFor('the others agree on who is there', async () => {
      return (await cluster.node(1).ask('/membersconsensus')).text === 'ok\n';
    });
    expect(await refusal(cluster.node(1), '/leave', { peerAddress: gone.raft })).to.have.property(
      '0',
      404,
    );
  });

  it('/join lets a removed node in again, as a new incarnation with the same state', async () => {
    const back = cluster.node(6);
    await cluster.node(1).change('/join', { peerAddress: back.raft, timeout: 20 });
    await cluster.settled();
    expect(await back.get('k')).to.equal('v');
    expect(await memberOf(cluster.node(1), 'node6')).to.include({ role: 'voter' });
  });

  it('a removed node that is started again stays out until /join', async () => {
    const gone = cluster.node(6);
    const before = await memberOf(cluster.node(1), 'node6');
    await gone.stop();
    await cluster.node(1).change('/leave', { peerAddress: gone.raft });
    gone.start();
    await waitFor('it runs', async () => (await gone.ask('/livez')).status === 200);
    await waitFor('it is not ready', async () => (await gone.ask('/readyz')).status === 503);
    expect(await cluster.node(1).json('/raftnodes')).to.not.include(gone.raft);
    await cluster.node(1).change('/join', { peerAddress: gone.raft, timeout: 20 });
    await cluster.settled();
    const after = await memberOf(cluster.node(1), 'node6');
    expect(after?.incarnation).to.not.equal(before?.incarnation);
  });

  it('/leave of the leader hands over and is answered', async () => {
    const leader = await cluster.leader();
    const asked = cluster.running.find((node) => node !== leader);
    await asked?.change('/leave', { peerAddress: leader.raft, timeout: 20 });
    const rest = cluster.running.filter((node) => node !== leader);
    expect(await cluster.leader(rest)).to.not.equal(leader);
    await asked?.set('after', 'the leader left');
    await asked?.change('/join', { peerAddress: leader.raft, timeout: 20 });
    await cluster.settled();
    expect(await leader.get('after')).to.equal('the leader left');
  });

  it('a wiped node comes back by itself as a new incarnation with the same state', async () => {
    const wiped = cluster.node(2);
    const before = await memberOf(cluster.node(1), 'node2');
    await wiped.kill();
    wiped.wipe();
    wiped.start();
    await waitFor('it is a voter of another incarnation', async () => {
      const member = await memberOf(cluster.node(1), 'node2');
      return member?.role !== 'learner' && member?.incarnation !== before?.incarnation;
    });
    await cluster.settled();
    expect(await wiped.get('k')).to.equal('v');
  });

  it('a wiped node1 with --bootstrap joins the cluster that is there and makes no other', async () => {
    const wiped = cluster.node(1);
    const before = await memberOf(cluster.node(2), 'node1');
    await wiped.kill();
    wiped.wipe();
    const mark = wiped.output.length;
    wiped.start();
    await waitFor('it is a member of another incarnation', async () => {
      const member = await memberOf(cluster.node(2), 'node1');
      return member?.role !== 'learner' && member?.incarnation !== before?.incarnation;
    });
    await cluster.settled();
    expect(wiped.output.slice(mark)).to.not.include('Creating a cluster');
    expect(await wiped.get('k')).to.equal('v');
  });

  it('a node that starts at other addresses stays the same member', async () => {
    const moved = cluster.node(3);
    const before = await memberOf(cluster.node(1), 'node3');
    await moved.stop();
    moved.move(await freePorts());
    moved.start();
    await waitFor('the members know its new addresses', async () => {
      const { addresses, incarnation } = (await memberOf(cluster.node(1), 'node3')) ?? {};
      return addresses?.http === moved.http && incarnation === before?.incarnation;
    });
    await cluster.settled();
    expect(await cluster.node(1).json('/raftnodes')).to.include(moved.raft);
    await moved.set('moved', 'yes');
    expect(await cluster.node(2).get('moved')).to.equal('yes');
  });

  it('all nodes that start at other addresses at once find each other', async function () {
    await cluster.stop();
    for (const node of cluster.nodes) node.move(await freePorts());
    const gossipJoin = `--gossipJoin=${cluster.nodes.map(({ gossip }) => gossip).join(',')}`;
    for (const node of cluster.nodes) node.start([gossipJoin]);
    await cluster.settled();
    expect(await cluster.node(1).get('moved')).to.equal('yes');
    await waitFor('the members know all new addresses', async () => {
      const raft = await cluster.node(1).json<string[]>('/raftnodes');
      return cluster.nodes.every((node) => raft.includes(node.raft));
    });
  });

  it('/join refuses what is no address, nobody, and data of another cluster', async () => {
    const node = cluster.node(1);
    for (const peerAddress of ['', 'nowhere', 'host:', ':7000', '127.0.0.1:0', '127.0.0.1:65536']) {
      expect(await refusal(node, '/join', { peerAddress })).to.deep.equal([
        400,
        'invalid peerAddress\n',
      ]);
    }
    const nobody = `127.0.0.1:${await freePort()}`;
    expect((await refusal(node, '/join', { peerAddress: nobody }))[0]).to.equal(502);
    const other = await workshop.started(1);
    const [status, text] = await refusal(node, '/join', { peerAddress: other.node(1).raft });
    expect([status, text]).to.deep.equal([409, text]);
    expect(text).to.include('another cluster');
    expect(await other.node(1).json('/raftnodes')).to.have.length(1);
  });

  it('/join refuses a second node of a name that is alive', async () => {
    const twin = await workshop.cluster(0);
    const node = twin.add('node1', await freePorts(), []);
    node.start();
    await node.said('waiting for /join');
    const [status, text] = await refusal(cluster.node(2), '/join', { peerAddress: node.raft });
    expect([status, text.includes('alive')]).to.deep.equal([409, true]);
  });

  it('/leave refuses an address that no member has and what is none', async () => {
    const node = cluster.node(2);
    expect((await refusal(node, '/leave', { peerAddress: '127.0.0.1:9' }))[0]).to.equal(404);
    expect(await refusal(node, '/leave', { peerAddress: 'x' })).to.deep.equal([
      400,
      'invalid peerAddress\n',
    ]);
  });
});

describe('The last voters', function () {
  this.timeout(150_000);
  const workshop = useWorkshop();

  it('/leave refuses to remove the last voter, and one whose rest has no majority unless forced', async () => {
    const cluster = await workshop.started(3);
    const [first, second, third] = [cluster.node(1), cluster.node(2), cluster.node(3)];
    await third.kill();
    // At once: that the killed one was heard a moment ago must not count.
    const [refusedWith, why] = await refusal(first, '/leave', { peerAddress: second.raft });
    expect([refusedWith, why.includes('force=1')]).to.deep.equal([409, true]);
    await first.change('/leave', { peerAddress: third.raft, timeout: 20 });
    expect(await first.json('/raftnodes')).to.have.length(2);
    const leader = await cluster.leader();
    const other = leader === first ? second : first;
    await leader.change('/leave', { peerAddress: other.raft, timeout: 20 });
    const [status, text] = await refusal(leader, '/leave', { peerAddress: leader.raft });
    expect([status, text.includes('last voter')]).to.deep.equal([409, true]);
    await leader.set('k', 'alone');
    expect(await leader.get('k')).to.equal('alone');
  });

  it('an observer is no voter: it watches, its vote on health counts, and it never leads', async () => {
    const runs = new NotifyRuns(workshop.path('runs'));
    const cluster = await workshop.started(2, { flags: watchFlags, env: runs.env });
    const observer = cluster.add('observer', await freePorts(), [
      ...cluster.joinFlags,
      '--observer',
    ]);
    observer.start();
    await cluster.settled();
    expect((await memberOf(cluster.node(1), 'observer'))?.role).to.equal('observer');
    const [status, why] = await refusal(observer, '/members/observer/transfer', {});
    expect([status, why.includes('observer')]).to.deep.equal([409, true]);
    const word = workshop.path('word');
    replaceFile(word, 'UP\n');
    await observer.set('k', `file:${word}`);
    await baselineIs(cluster.node(1), ['k'], 'UP');
    // One voter and the observer make the two of three that are needed.
    replaceFile(`${word}.node1`, 'DOWN\n');
    await samplesTaken(cluster.node(1), 'k', 4);
    expect(await eventsOf(cluster.node(1), 'k')).to.deep.equal([]);
    replaceFile(`${word}.observer`, 'DOWN\n');
    const { evidence } = await eventIs(cluster.node(2), 'k', { to: 'DOWN', state: 'done' });
    const counted = evidence.votes.filter((vote) => vote.counted).map((vote) => vote.node);
    expect(counted.sort()).to.deep.equal(['node1', 'observer']);
    await cluster.node(2).kill(); // One of two voters is no majority, observer or not.
    await waitFor('nobody leads', async () => (await observer.ask('/leader')).status === 503);
    cluster.node(2).start();
    await cluster.settled();
  });
});

describe('Gossip that is left and joined by hand', function () {
  this.timeout(150_000);
  const workshop = useWorkshop();

  it('/gossipleave abstains until /gossipjoin, which names who does not answer', async () => {
    const cluster = await workshop.started(3);
    const [first, second] = [cluster.node(1), cluster.node(2)];
    await second.change('/gossipleave', {});
    const differ = await waitFor('the others see it leave', async () => {
      const { status, text } = await first.ask('/membersconsensus');
      return status === 503 && text;
    });
    expect(differ).to.equal(
      'error raft members [node1 node2 node3] , gossip members [node1 node3] differ\n',
    );
    expect(await first.json('/gossipnodes')).to.not.include(second.gossip);
    expect((await second.ask('/readyz')).text).to.include('gossipjoin');
    const nobody = `127.0.0.1:${await freePort()}`;
    const path = `/gossipjoin/${first.gossip},${nobody}?timeout=1`;
    const { status, text } = await second.ask(path, { method: 'POST' });
    expect([status, text.includes(nobody), text.includes(first.gossip)]).to.deep.equal([
      502,
      true,
      false,
    ]);
    const ok = await second.ask(`/gossipjoin/${first.gossip}`, { method: 'POST' });
    expect([ok.status, ok.text]).to.deep.equal([200, 'ok\n']);
    for (const node of cluster.nodes) {
      await waitFor(`${node.id} sees all again`, async () => {
        return (await node.ask('/membersconsensus')).text === 'ok\n';
      });
    }
    expect((await first.ask('/gossipjoin/nonsense')).status).to.equal(400);
  });
});
