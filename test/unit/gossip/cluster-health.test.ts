import { expect } from 'chai';
import type { Verdict } from '../../../src/shared/index.ts';
import { GossipCluster } from '../../support/gossip-cluster.ts';
import type { SimNode } from '../../support/gossip-cluster.ts';

const seeds = [1, 2, 3];

/** What a node published last, by key. */
type Published = Map<string, Map<number, Verdict>>;

function publish(
  cluster: GossipCluster,
  name: string,
  verdict: { keyId: number; verdict: Verdict },
) {
  cluster.act(name, (core) =>
    core.publishVerdict({ ...verdict, valueRevision: 1, samples: ['UP', 'DOWN', 'EMPTY'] }),
  );
}

const report = (cluster: GossipCluster, name: string, overdue: readonly number[] = []): void =>
  cluster.act(name, (core) => core.publishReport({ basis: 7, overdue }));

function holdsAll(node: SimNode, published: Published): boolean {
  for (const [owner, verdicts] of published)
    for (const [keyId, verdict] of verdicts)
      if (node.board.verdictOf(owner, keyId) !== verdict) return false;
  return true;
}

/** Everybody publishes random transitions for a while. */
function churn(cluster: GossipCluster, rounds: number): Published {
  const published: Published = new Map(
    cluster.up().map(({ name }) => [name, new Map<number, Verdict>()]),
  );
  for (let round = 0; round < rounds; round++) {
    for (const { name } of cluster.up()) {
      const keyId = 1 + cluster.random.intBelow(30);
      const verdict = (['UP', 'DOWN', 'EMPTY'] as const)[cluster.random.intBelow(3)] ?? 'UP';
      published.get(name)?.set(keyId, verdict);
      publish(cluster, name, { keyId, verdict });
    }
    cluster.run(cluster.random.intBelow(300));
  }
  return published;
}

function started(nodes: number, seed: number, loss = 0): GossipCluster {
  const cluster = new GossipCluster({ nodes, seed, network: { loss } });
  cluster.runUntil('complete', 10_000, () => cluster.isComplete());
  return cluster;
}

describe('GossipCore in a cluster: health results', () => {
  for (const [nodes, loss] of [
    [1, 0],
    [3, 0],
    [5, 0.25],
    [20, 0.25],
  ] as const)
    it(`publishVerdict() reaches all boards of ${nodes} nodes, ${loss * 100} % lost`, () => {
      for (const seed of nodes > 5 ? [1] : seeds) {
        const cluster = started(nodes, seed, loss);
        const published = churn(cluster, 30);
        for (const { name } of cluster.up()) report(cluster, name);
        cluster.runUntil(`seed ${seed}: all boards are equal`, 20_000, () =>
          cluster.up().every((node) => holdsAll(node, published)),
        );
      }
    });

  it('a lone transition is on all 5 boards within a gossip interval', () => {
    const cluster = started(5, 1);
    cluster.run(10_000);
    publish(cluster, 'n2', { keyId: 4, verdict: 'DOWN' });
    cluster.run(cluster.settings.gossipIntervalMs);
    for (const node of cluster.up()) expect(node.board.verdictOf('n2', 4)).to.equal('DOWN');
    const seen = cluster.node('n5').board.verdicts.get('n2/4');
    expect(seen?.samples).to.deep.equal(['UP', 'DOWN', 'EMPTY']);
    expect(seen?.valueRevision).to.equal(1);
  });

  it('retractVerdict() takes the verdict off all boards', () => {
    const cluster = started(5, 1, 0.1);
    for (const keyId of [1, 2, 3]) publish(cluster, 'n1', { keyId, verdict: 'UP' });
    cluster.run(2_000);
    cluster.act('n1', (core) => core.retractVerdict(2));
    report(cluster, 'n1');
    cluster.runUntil('gone', 10_000, () =>
      cluster.up().every((node) => node.board.verdictOf('n1', 2) === undefined),
    );
    expect(cluster.node('n4').board.verdictOf('n1', 3)).to.equal('UP');
  });

  it('boards on both sides of a partition are equal soon after it heals', () => {
    const cluster = started(10, 1);
    cluster.partition(['n1', 'n2', 'n3', 'n4', 'n5']);
    cluster.run(60_000);
    const published = churn(cluster, 40);
    cluster.heal();
    cluster.runUntil('one view', 15_000, () => cluster.isComplete());
    for (const { name } of cluster.up()) report(cluster, name);
    cluster.runUntil('equal boards', 10_000, () =>
      cluster.up().every((node) => holdsAll(node, published)),
    );
  });

  it('a storm of 5,000 keys goes by pull, page by page, and starves no probe', () => {
    const cluster = started(5, 1, 0.05);
    const published: Published = new Map([['n1', new Map<number, Verdict>()]]);
    cluster.act('n1', (core) => {
      for (let keyId = 1; keyId <= 5_000; keyId++) {
        published.get('n1')?.set(keyId, 'DOWN');
        core.publishVerdict({ keyId, valueRevision: keyId, verdict: 'DOWN', samples: ['DOWN'] });
      }
      core.publishReport({ basis: 1, overdue: [] });
    });
    const bytesBefore = cluster.datagramBytes;
    cluster.runUntil('all boards', 10_000, () =>
      cluster
        .up()
        .every((node) => holdsAll(node, published) && node.board.reportOf('n1')?.number === 1),
    );
    expect(cluster.datagramBytes - bytesBefore, 'bytes of datagrams').below(100_000);
    cluster.run(10_000);
    expect(cluster.deaths).to.deep.equal([]);
  });

  it('a page budget below the storm takes several exchanges and still ends complete', () => {
    const cluster = new GossipCluster({ nodes: 3, seed: 1, settings: { answerBytesMax: 2_000 } });
    cluster.runUntil('complete', 10_000, () => cluster.isComplete());
    const published: Published = new Map([['n1', new Map<number, Verdict>()]]);
    cluster.act('n1', (core) => {
      for (let keyId = 1; keyId <= 2_000; keyId++) {
        published.get('n1')?.set(keyId, 'UP');
        core.publishVerdict({ keyId, valueRevision: 1, verdict: 'UP', samples: [] });
      }
    });
    const before = cluster.exchangeCount;
    cluster.runUntil('all boards', 10_000, () =>
      cluster.up().every((node) => holdsAll(node, published)),
    );
    expect(cluster.exchangeCount - before).to.be.greaterThan(8);
  });

  it('a restarted node starts a new epoch: its earlier verdicts leave all boards', () => {
    for (const seed of seeds) {
      const cluster = started(4, seed);
      publish(cluster, 'n4', { keyId: 1, verdict: 'UP' });
      publish(cluster, 'n4', { keyId: 2, verdict: 'UP' });
      publish(cluster, 'n1', { keyId: 1, verdict: 'DOWN' });
      cluster.run(2_000);
      cluster.kill('n4');
      cluster.start('n4', { join: ['n1:8000'] });
      publish(cluster, 'n4', { keyId: 2, verdict: 'DOWN' });
      cluster.runUntil('new verdict', 5_000, () =>
        cluster.up().every((node) => node.board.verdictOf('n4', 2) === 'DOWN'),
      );
      for (const name of ['n1', 'n2', 'n3'])
        expect(cluster.node(name).board.verdictOf('n4', 1)).to.equal(undefined);
      cluster.runUntil('the restarted node knows the others', 5_000, () => {
        const { board } = cluster.node('n4');
        return board.verdictOf('n1', 1) === 'DOWN';
      });
    }
  });

  it('an epoch raised at run time brings all verdicts of the owner again', () => {
    const cluster = started(3, 1);
    cluster.kill('n3');
    cluster.run(500);
    cluster.start('n3', { epoch: 9, join: [] });
    publish(cluster, 'n3', { keyId: 5, verdict: 'DOWN' });
    cluster.act('n3', (core, nowMs) => core.join(['n1:8000'], nowMs));
    cluster.runUntil('everywhere', 5_000, () =>
      cluster.up().every((node) => node.board.verdictOf('n3', 5) === 'DOWN'),
    );
  });
});

describe('GossipCore in a cluster: reports', () => {
  it('reports of all owners reach all boards and their numbers only advance', () => {
    for (const seed of seeds) {
      const cluster = started(5, seed, 0.25);
      for (let round = 0; round < 20; round++) {
        for (const { name } of cluster.up()) {
          publish(cluster, name, { keyId: 1 + (round % 3), verdict: round % 2 ? 'UP' : 'DOWN' });
          report(cluster, name, [round]);
        }
        cluster.run(2_000);
      }
      for (const { board } of cluster.up()) {
        expect(board.reports.size).to.equal(5);
        const last = new Map<string, number>();
        for (const { owner, number } of board.allReports) {
          expect(number).to.be.greaterThan(last.get(owner) ?? 0);
          last.set(owner, number);
        }
        for (const number of last.values()) expect(number).to.be.greaterThan(18);
      }
    }
  });

  it('a report is delivered only after the verdicts that it rests on', () => {
    for (const seed of seeds) {
      const early: string[] = [];
      const cluster = new GossipCluster({
        nodes: 5,
        seed,
        network: { loss: 0.5 },
        onEffect: ({ board, name }, effect) => {
          if (effect.kind !== 'report') return;
          for (let keyId = 1; keyId <= effect.basis; keyId++)
            if (board.verdictOf('n1', keyId) !== 'UP') early.push(`${name} lacks ${keyId}`);
        },
      });
      cluster.runUntil('complete', 10_000, () => cluster.isComplete());
      for (let keyId = 1; keyId <= 40; keyId++) {
        publish(cluster, 'n1', { keyId, verdict: 'UP' });
        cluster.run(cluster.random.intBelow(1_000));
        cluster.act('n1', (core) => core.publishReport({ basis: keyId, overdue: [] }));
        cluster.run(cluster.random.intBelow(1_000));
      }
      expect(early, `seed ${seed}`).to.deep.equal([]);
      expect(cluster.node('n5').board.reportOf('n1')?.basis).to.be.greaterThan(35);
    }
  });

  it('a list of 100,000 overdue keys comes whole, by exchange', () => {
    const cluster = started(5, 1, 0.1);
    const overdue = Array.from({ length: 100_000 }, (_, index) => 3 * index).reverse();
    report(cluster, 'n1');
    cluster.run(1_000);
    report(cluster, 'n1', overdue);
    cluster.runUntil('report 2 everywhere', 10_000, () =>
      cluster.up().every((node) => node.board.reportOf('n1')?.number === 2),
    );
    for (const node of cluster.up())
      expect(node.board.reportOf('n1')?.overdue).to.deep.equal(overdue.toReversed());
    expect(cluster.datagramBytesMax).to.be.at.most(1_150);
  });

  it('more overdue keys than fit give no report at all, so all votes abstain', () => {
    const cluster = started(2, 1);
    report(
      cluster,
      'n1',
      Array.from({ length: 200_001 }, (_, index) => index),
    );
    cluster.run(2_000);
    for (const { board } of cluster.up()) expect(board.reports.size).to.equal(0);
  });

  it('an old report relayed to a node that just started proves nothing', () => {
    const cluster = started(4, 1);
    report(cluster, 'n4');
    publish(cluster, 'n4', { keyId: 1, verdict: 'UP' });
    report(cluster, 'n4');
    cluster.run(2_000);
    cluster.kill('n4');
    cluster.run(3_000);
    cluster.start('n3', { join: ['n1:8000'] });
    cluster.run(60_000);
    expect(cluster.node('n3').board.verdictOf('n4', 1)).to.equal('UP');
    expect(cluster.node('n3').board.allReports).to.deep.equal([]);
  });

  it('publishReport() reaches no board while the node is out of the cluster', () => {
    const cluster = started(3, 1);
    cluster.act('n2', (core, nowMs) => core.leave(nowMs));
    report(cluster, 'n2');
    cluster.run(5_000);
    for (const { board } of cluster.up()) expect(board.reports.size).to.equal(0);
    cluster.act('n2', (core, nowMs) => core.rejoin(nowMs));
    cluster.runUntil('complete', 5_000, () => cluster.isComplete());
    report(cluster, 'n2');
    cluster.run(2_000);
    for (const { board } of cluster.up()) expect(board.reports.size).to.equal(1);
  });

  it('100,000 publications without any peer leave nothing queued', () => {
    const cluster = new GossipCluster({ nodes: 1, seed: 1 });
    for (let round = 0; round < 10; round++)
      cluster.act('n1', (core) => {
        for (let step = 0; step < 10_000; step++)
          core.publishVerdict({
            keyId: step % 100,
            valueRevision: round * 10_000 + step,
            verdict: 'UP',
            samples: [],
          });
        core.publishReport({ basis: round, overdue: [] });
      });
    cluster.run(1_000);
    expect(cluster.node('n1').core.status().queuedItems).to.equal(0);
    expect(cluster.datagrams).to.equal(0);
  });

  it('after a change everything falls silent but probes', () => {
    const cluster = started(5, 1);
    for (let keyId = 1; keyId <= 50; keyId++) publish(cluster, 'n1', { keyId, verdict: 'UP' });
    report(cluster, 'n1');
    cluster.run(20_000);
    for (const node of cluster.up()) expect(node.core.status().queuedItems).to.equal(0);
    const before = cluster.datagramBytes;
    cluster.run(20_000);
    expect((cluster.datagramBytes - before) / 5 / 20, 'bytes a node and second').below(250);
  });
});
