import { expect } from 'chai';
import fc from 'fast-check';
import { Board } from '../../../src/health/index.ts';
import type { NodeReport, VerdictEntry } from '../../../src/health/index.ts';
import { asNodeId, asRevision } from '../../../src/shared/index.ts';
import type { NodeId } from '../../../src/shared/index.ts';
import { nodeName } from './support.ts';

const key = asRevision(7);
const other = asRevision(8);
const [n1, n2] = [nodeName(1), nodeName(2)];

const entry = (node: NodeId, difference: Partial<VerdictEntry> = {}): VerdictEntry => ({
  node,
  epoch: 1,
  keyId: key,
  verdict: 'UP',
  valueRevision: key,
  samples: ['UP'],
  ...difference,
});
const report = (
  node: NodeId,
  number: number,
  difference: Partial<NodeReport> = {},
): NodeReport => ({
  node,
  epoch: 1,
  number,
  basis: asRevision(50),
  overdue: [],
  ...difference,
});

describe('Board', () => {
  it('ballotsFor() shows each verdict with the report behind it', () => {
    const board = new Board();
    board.verdict(entry(n1));
    board.verdict(entry(n2, { verdict: 'DOWN' }));
    board.report(report(n1, 1, { overdue: [key] }), 500);
    const common = { valueRevision: key, samples: ['UP'] };
    const seen = { basis: 50, receivedAtMs: 500, freshSinceMs: 500, overdue: true };
    expect(board.ballotsFor(key)).to.deep.equal([
      { ...common, node: 'n1', verdict: 'UP', report: seen },
      { ...common, node: 'n2', verdict: 'DOWN', report: null },
    ]);
    expect(board.ballotsFor(other)).to.deep.equal([]);
    expect([board.hasBallots(key), board.hasBallots(other)]).to.deep.equal([true, false]);
  });

  it('report() renews freshness only when its number advances', () => {
    const board = new Board();
    expect(board.report(report(n1, 5), 100)).to.equal(true);
    expect(board.report(report(n1, 5), 900)).to.equal(false);
    expect(board.report(report(n1, 4), 900)).to.equal(false);
    expect(board.reportOf(n1)?.receivedAtMs).to.equal(100);
    expect(board.report(report(n1, 6), 950)).to.equal(true);
    expect(board.reportOf(n1)).to.include({ number: 6, receivedAtMs: 950 });
  });

  it('report() keeps since when there has been no lapse of freshness', () => {
    const board = new Board({ freshMs: 100 });
    for (const atMs of [1_000, 1_100, 1_200]) board.report(report(n1, atMs), atMs);
    expect(board.reportOf(n1)?.freshSinceMs).to.equal(1_000);
    board.report(report(n1, 1_301), 1_301);
    expect(board.reportOf(n1)?.freshSinceMs).to.equal(1_301);
    board.report({ ...report(n1, 1), epoch: 2 }, 1_350);
    expect(board.reportOf(n1)?.freshSinceMs).to.equal(1_350);
  });

  it('a later epoch clears what the node said before, an earlier one is not heard', () => {
    const board = new Board();
    board.verdict(entry(n1));
    board.report(report(n1, 9), 100);
    board.ownerReset(n1, 2);
    expect(board.ballotsFor(key)).to.deep.equal([]);
    expect(board.verdict(entry(n1))).to.equal(false);
    expect(board.report(report(n1, 10), 200)).to.equal(false);
    expect(board.verdict(entry(n1, { epoch: 2, verdict: 'DOWN' }))).to.equal(true);
    expect(board.report(report(n1, 1, { epoch: 2 }), 300)).to.equal(true);
    expect(board.ballotsFor(key)[0]).to.deep.include({ verdict: 'DOWN' });
  });

  it('verdictGone(), forgetNode() and forgetKey() leave nothing behind', () => {
    const board = new Board();
    for (const node of [n1, n2]) {
      for (const keyId of [key, other]) board.verdict(entry(node, { keyId }));
    }
    board.verdictGone(n1, other);
    expect(board.entryCount).to.equal(3);
    board.forgetNode(n2);
    expect(board.ballotsFor(other)).to.deep.equal([]);
    expect(board.entryCount).to.equal(1);
    board.forgetKey(key);
    expect(board.entryCount).to.equal(0);
    expect([...board.keysOf(n1)]).to.deep.equal([]);
  });

  it('scavenge() drops deleted keys and departed nodes', () => {
    const board = new Board();
    for (const node of [n1, n2]) {
      for (const keyId of [key, other]) board.verdict(entry(node, { keyId }));
    }
    board.scavenge(
      (keyId) => keyId === key,
      (node) => node === n1,
    );
    expect(board.entryCount).to.equal(1);
    expect(board.ballotsFor(key).map((ballot) => ballot.node)).to.deep.equal(['n1']);
  });

  it('refuses what is beyond its limits and keeps what it has', () => {
    const board = new Board({ entriesMax: 1, nodesMax: 2 });
    expect(board.verdict(entry(n1))).to.equal(true);
    expect(board.verdict(entry(n2))).to.equal(false);
    expect(board.verdict(entry(n1, { verdict: 'DOWN' }))).to.equal(true);
    expect(board.verdict(entry(n1, { keyId: other }))).to.equal(false);
    expect(board.report(report(nodeName(3), 1), 0)).to.equal(false);
    expect(board.ballotsFor(key)).to.have.lengthOf(1);
    expect(board.ballotsFor(other)).to.deep.equal([]);
  });

  it('entryCount is what the keys hold after any history', () => {
    const node = fc.constantFrom('a', 'b', 'c').map(asNodeId);
    const keyId = fc.constantFrom(1, 2, 3).map(asRevision);
    const step = fc.oneof(
      fc.tuple(fc.constant('verdict'), node, keyId),
      fc.tuple(fc.constant('gone'), node, keyId),
      fc.tuple(fc.constant('reset'), node, keyId),
      fc.tuple(fc.constant('node'), node, keyId),
      fc.tuple(fc.constant('key'), node, keyId),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const board = new Board({ entriesMax: 5, nodesMax: 3 });
        let epoch = 1;
        for (const [what, who, which] of steps) {
          if (what === 'verdict') board.verdict(entry(who, { keyId: which, epoch }));
          else if (what === 'gone') board.verdictGone(who, which);
          else if (what === 'reset') board.ownerReset(who, ++epoch);
          else if (what === 'node') board.forgetNode(who);
          else board.forgetKey(which);
        }
        const keys = [1, 2, 3].map(asRevision);
        const held = keys.reduce((sum, one) => sum + board.ballotsFor(one).length, 0);
        expect(board.entryCount).to.equal(held);
        const listed = ['a', 'b', 'c'].map((name) => [...board.keysOf(asNodeId(name))].length);
        expect(listed.reduce((sum, one) => sum + one, 0)).to.equal(held);
      }),
      { seed: 3, numRuns: 300 },
    );
  });
});
