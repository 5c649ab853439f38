import { expect } from 'chai';
import { GossipCluster } from '../../support/gossip-cluster.ts';

const seeds = [1, 2, 3];

describe('GossipCore in a cluster: membership', () => {
  for (const nodes of [3, 5, 50])
    it(`join() makes ${nodes} nodes know each other, and then almost nothing is sent`, () => {
      const cluster = new GossipCluster({ nodes, seed: 1 });
      cluster.runUntil('complete', 5_000, () => cluster.isComplete());
      cluster.run(10_000);
      const before = cluster.datagrams;
      cluster.run(10_000);
      expect((cluster.datagrams - before) / nodes / 10, 'datagrams a node and second').below(2.5);
      expect(cluster.deaths).to.deep.equal([]);
    });

  for (const [nodes, limitMs] of [
    [3, 9_000],
    [5, 11_000],
    [50, 20_000],
  ] as const)
    it(`a killed one of ${nodes} is dead for all others, and nobody else is`, () => {
      for (const seed of nodes > 5 ? [1] : seeds) {
        const cluster = new GossipCluster({ nodes, seed });
        cluster.runUntil('complete', 5_000, () => cluster.isComplete());
        const name = `n${nodes}`;
        cluster.kill(name);
        cluster.runUntil('dead', limitMs, () =>
          cluster.up().every((node) => cluster.statusOf(node.name, name) === 'dead'),
        );
        expect(cluster.falseDeaths()).to.deep.equal([]);
      }
    });

  it('25 % loss and stalled nodes make no healthy node die', () => {
    for (const seed of seeds) {
      const cluster = new GossipCluster({ nodes: 12, seed, network: { loss: 0.25 } });
      cluster.runUntil('complete', 10_000, () => cluster.isComplete());
      for (let minute = 0; minute < 2; minute++) {
        for (const name of ['n3', 'n11'])
          cluster.stall(name, 1_000 + cluster.random.intBelow(15_000));
        cluster.run(30_000);
      }
      expect(cluster.falseDeaths(), `seed ${seed}`).to.deep.equal([]);
      cluster.runUntil('complete again', 15_000, () => cluster.isComplete());
    }
  });

  it('a node stalled for 20 s kills nobody and is alive again within 2 s', () => {
    for (const seed of seeds) {
      const cluster = new GossipCluster({ nodes: 10, seed });
      cluster.runUntil('complete', 5_000, () => cluster.isComplete());
      cluster.stall('n4', 20_000);
      cluster.run(20_001);
      cluster.runUntil('complete again', 2_000, () => cluster.isComplete());
      expect(cluster.deaths.filter(({ observer }) => observer === 'n4')).to.deep.equal([]);
    }
  });

  it('without datagrams probes over TCP keep everybody alive', () => {
    const cluster = new GossipCluster({ nodes: 5, seed: 1 });
    cluster.runUntil('complete', 5_000, () => cluster.isComplete());
    cluster.network = { ...cluster.network, loss: 1 };
    cluster.run(60_000);
    expect(cluster.deaths).to.deep.equal([]);
  });

  it('a node that hears nothing ends nobody elsewhere', () => {
    for (const seed of seeds) {
      const cluster = new GossipCluster({ nodes: 8, seed });
      cluster.runUntil('complete', 5_000, () => cluster.isComplete());
      cluster.deafen('n2');
      cluster.run(60_000);
      const elsewhere = cluster.deaths.filter(
        ({ observer, subject }) => observer !== 'n2' && subject !== 'n2',
      );
      expect(elsewhere, `seed ${seed}`).to.deep.equal([]);
      cluster.heal();
      cluster.runUntil('complete again', 15_000, () => cluster.isComplete());
    }
  });

  it('a suspected node that lives refutes with a higher counter', () => {
    const cluster = new GossipCluster({ nodes: 5, seed: 4 });
    cluster.runUntil('complete', 5_000, () => cluster.isComplete());
    cluster.partition(['n5']);
    cluster.runUntil('suspected', 10_000, () =>
      cluster.up().some((node) => cluster.statusOf(node.name, 'n5') === 'suspect'),
    );
    cluster.heal();
    cluster.runUntil('refuted', 6_000, () => cluster.isComplete());
    const view = cluster
      .node('n1')
      .core.members()
      .find(({ nodeId }) => nodeId === 'n5');
    expect(view?.counter).to.be.greaterThan(0);
    expect(cluster.deaths.filter(({ subject }) => subject === 'n5')).to.deep.equal([]);
  });

  it('leave() is seen as left by all, under loss too, and never as dead', () => {
    for (let seed = 1; seed <= 40; seed++) {
      const cluster = new GossipCluster({ nodes: 5, seed, network: { loss: 0.2 } });
      cluster.runUntil('complete', 10_000, () => cluster.isComplete());
      cluster.act('n3', (core, nowMs) => core.leave(nowMs));
      cluster.runUntil('n3 may go', 3_100, () => cluster.node('n3').core.hasLeft());
      cluster.kill('n3');
      cluster.runUntil(`seed ${seed}: left everywhere`, 5_000, () =>
        cluster.up().every((node) => cluster.statusOf(node.name, 'n3') === 'left'),
      );
      cluster.run(5_000);
      expect(cluster.deaths, `seed ${seed}`).to.deep.equal([]);
    }
  });

  it('leave() keeps a running node out, and silent, until rejoin()', () => {
    const cluster = new GossipCluster({ nodes: 4, seed: 1 });
    cluster.runUntil('complete', 5_000, () => cluster.isComplete());
    cluster.act('n3', (core, nowMs) => core.leave(nowMs));
    cluster.run(60_000);
    expect(cluster.statusOf('n1', 'n3')).to.equal('left');
    expect(cluster.node('n3').core.nextDeadlineMs()).to.equal(Infinity);
    cluster.act('n3', (core, nowMs) => core.rejoin(nowMs));
    cluster.runUntil('back', 2_000, () => cluster.isComplete());
  });

  it('leave() and rejoin() in quick succession leave it alive', () => {
    for (const seed of seeds) {
      const cluster = new GossipCluster({ nodes: 4, seed, network: { loss: 0.2 } });
      cluster.runUntil('complete', 10_000, () => cluster.isComplete());
      for (let times = 0; times < 20; times++) {
        cluster.act('n3', (core, nowMs) => core.leave(nowMs));
        cluster.run(cluster.random.intBelow(200));
        cluster.act('n3', (core, nowMs) => core.rejoin(nowMs));
        cluster.run(cluster.random.intBelow(200));
      }
      cluster.runUntil('alive', 10_000, () => cluster.isComplete());
    }
  });

  it('a restart under the same name and a new address is taken in at once', () => {
    for (const seed of seeds) {
      const cluster = new GossipCluster({ nodes: 5, seed });
      cluster.runUntil('complete', 5_000, () => cluster.isComplete());
      cluster.kill('n5');
      cluster.run(seed === 1 ? 500 : 20_000);
      cluster.start('n5', { address: 'n5:9999', join: ['n2:8000'] });
      cluster.runUntil('complete', 1_500, () => cluster.isComplete());
      const view = cluster
        .node('n1')
        .core.members()
        .find(({ nodeId }) => nodeId === 'n5');
      expect(view?.address).to.equal('n5:9999');
      cluster.run(60_000);
      expect(cluster.isComplete(), 'no suspicion of the earlier life ends the new one').equal(true);
    }
  });

  it('a restart with its clock set back raises its epoch above its past', () => {
    const cluster = new GossipCluster({ nodes: 4, seed: 1 });
    cluster.runUntil('complete', 5_000, () => cluster.isComplete());
    cluster.kill('n4');
    cluster.run(1_000);
    const node = cluster.start('n4', { epoch: 5, join: ['n1:8000'] });
    cluster.runUntil('complete', 2_000, () => cluster.isComplete());
    expect(node.effects.some(({ kind }) => kind === 'epochRaised')).to.equal(true);
  });

  it('two processes of one name do not take turns: the later start stands, both are told apart', () => {
    const cluster = new GossipCluster({ nodes: 4, seed: 1 });
    cluster.runUntil('complete', 5_000, () => cluster.isComplete());
    const first = cluster.node('n4');
    cluster.rename('n4', 'n4-first');
    cluster.run(100);
    cluster.start('n4', { address: 'twin:8000', join: ['n1:8000'] });
    cluster.run(60_000);
    const view = cluster
      .node('n1')
      .core.members()
      .find(({ nodeId }) => nodeId === 'n4');
    expect(view?.address).to.equal('twin:8000');
    expect(first.effects.filter(({ kind }) => kind === 'conflict')).to.have.lengthOf.within(1, 3);
    expect(first.effects.filter(({ kind }) => kind === 'epochRaised')).to.deep.equal([]);
    cluster.kill('n4');
    cluster.runUntil('the first one is back', 60_000, () =>
      ['n1', 'n2', 'n3'].every((name) =>
        cluster
          .node(name)
          .core.members()
          .some((one) => one.address === 'n4:8000' && one.status === 'alive'),
      ),
    );
  });

  it('restarts of all nodes in random order end in complete views', () => {
    for (const seed of seeds) {
      const cluster = new GossipCluster({ nodes: 10, seed });
      cluster.runUntil('complete', 5_000, () => cluster.isComplete());
      const names = [...cluster.nodes.keys()];
      while (names.length > 0) {
        const [name] = names.splice(cluster.random.intBelow(names.length), 1);
        if (name === undefined) break;
        cluster.kill(name);
        cluster.run(cluster.random.intBelow(500));
        cluster.start(name, { join: ['n1:8000', 'n2:8000'] });
      }
      cluster.runUntil('complete', 10_000, () => cluster.isComplete());
    }
  });

  it('a partition of 60 s heals within 15 s, without seeds', () => {
    for (const seed of seeds) {
      const cluster = new GossipCluster({ nodes: 15, seed, joins: false });
      const names = [...cluster.nodes.keys()];
      cluster.act('n1', (core, nowMs) =>
        core.join(
          names.map((name) => `${name}:8000`),
          nowMs,
        ),
      );
      cluster.runUntil('complete', 5_000, () => cluster.isComplete());
      cluster.kill('n1');
      cluster.partition(names.slice(0, 7));
      cluster.run(60_000);
      expect(cluster.statusOf('n2', 'n15')).to.equal('dead');
      expect(cluster.statusOf('n15', 'n2')).to.equal('dead');
      cluster.heal();
      const healedAtMs = cluster.nowMs;
      cluster.runUntil('one view', 15_000, () => cluster.isComplete());
      cluster.run(10_000);
      expect(cluster.falseDeaths(healedAtMs + 5_000), `seed ${seed}`).to.deep.equal([]);
    }
  });

  it('islands that share a seed address find each other once it answers', () => {
    const cluster = new GossipCluster({ nodes: 4, seed: 1, joins: false });
    cluster.partition(['n1', 'n2'], ['n3', 'n4']);
    for (const name of ['n1', 'n2', 'n3', 'n4'])
      cluster.act(name, (core, nowMs) =>
        core.join(
          ['n1:8000', 'n3:8000'].filter((one) => one !== `${name}:8000`),
          nowMs,
        ),
      );
    cluster.run(60_000);
    expect(cluster.statusOf('n1', 'n2')).to.equal('alive');
    expect(cluster.statusOf('n1', 'n3')).to.equal('unknown');
    cluster.heal();
    cluster.runUntil('one view', 15_000, () => cluster.isComplete());
  });

  it('join() tells of each address once it answers, also when that is late', () => {
    const cluster = new GossipCluster({ nodes: 2, seed: 1, joins: false });
    cluster.kill('n2');
    cluster.act('n1', (core, nowMs) => core.join(['n2:8000', 'n3:8000'], nowMs));
    cluster.run(30_000);
    const joined = () => cluster.node('n1').effects.filter(({ kind }) => kind === 'joined');
    expect(joined()).to.deep.equal([]);
    cluster.start('n2');
    cluster.run(12_500);
    expect(joined()).to.deep.equal([{ kind: 'joined', seed: 'n2:8000' }]);
  });

  it('a node that thinks it is alone but is known by others finds them', () => {
    const cluster = new GossipCluster({ nodes: 4, seed: 1 });
    cluster.runUntil('complete', 5_000, () => cluster.isComplete());
    cluster.kill('n4');
    cluster.start('n4');
    cluster.runUntil('complete', 15_000, () => cluster.isComplete());
  });

  it('the same seed gives the same trace, another seed another one', () => {
    const traceOf = (seed: number): number => {
      const cluster = new GossipCluster({ nodes: 8, seed, network: { loss: 0.1 } });
      cluster.run(5_000);
      cluster.stall('n2', 4_000);
      cluster.kill('n3');
      cluster.run(20_000);
      return cluster.trace;
    };
    expect(traceOf(5)).to.equal(traceOf(5));
    expect(traceOf(5)).not.to.equal(traceOf(6));
  });

  it('no datagram is above 1,200 bytes while 50 nodes start, lose packets and restart', () => {
    const cluster = new GossipCluster({ nodes: 50, seed: 2, network: { loss: 0.1 } });
    cluster.run(5_000);
    for (const name of ['n10', 'n20', 'n30']) cluster.kill(name);
    cluster.run(10_000);
    cluster.start('n10', { join: ['n1:8000'] });
    cluster.run(5_000);
    expect(cluster.datagramBytesMax).to.be.within(800, 1_150);
  });
});
