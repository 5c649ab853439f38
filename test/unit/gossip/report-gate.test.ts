import { expect } from 'chai';
import { ReportGate } from '../../../src/gossip/report-gate.ts';
import { asNodeId } from '../../../src/shared/index.ts';
import type { HealthReport } from '../../../src/wire/index.ts';

const report = (number: number, maxVersion = 0): HealthReport => ({
  owner: asNodeId('n1'),
  epoch: 1,
  number,
  maxVersion,
  basis: 1,
  overdue: [],
});

describe('ReportGate', () => {
  it('release() waits for the verdicts and passes the newest that may', () => {
    const gate = new ReportGate();
    expect(gate.take(report(1, 5), true)).to.equal(true);
    expect(gate.release(4)).to.equal(undefined);
    gate.take(report(2, 6), true);
    gate.take(report(3, 9), true);
    expect(gate.release(6)?.number).to.equal(2);
    expect(gate.release(8)).to.equal(undefined);
    expect(gate.release(9)?.number).to.equal(3);
  });

  it('release() passes a number once, and never a lower one', () => {
    const gate = new ReportGate();
    gate.take(report(2), true);
    expect(gate.release(0)?.number).to.equal(2);
    expect(gate.take(report(2), true)).to.equal(false);
    expect(gate.release(0)).to.equal(undefined);
    expect(gate.take(report(1), true)).to.equal(false);
    expect(gate.release(0)).to.equal(undefined);
  });

  it('a first number through others is only where counting starts', () => {
    const gate = new ReportGate();
    expect(gate.take(report(7), false)).to.equal(true);
    expect(gate.release(0)).to.equal(undefined);
    gate.take(report(8), false);
    expect(gate.release(0)?.number).to.equal(8);
  });

  it('the owner itself saying that first number makes it count', () => {
    const gate = new ReportGate();
    gate.take(report(7), false);
    expect(gate.release(0)).to.equal(undefined);
    gate.take(report(7), true);
    expect(gate.release(0)?.number).to.equal(7);
  });

  it('take() holds few reports and keeps the oldest and the newest', () => {
    const gate = new ReportGate();
    for (let number = 1; number <= 100; number++) gate.take(report(number, number), true);
    expect(gate.release(1)?.number).to.equal(1);
    expect(gate.release(100)?.number).to.equal(100);
    expect(gate.latestNumber).to.equal(100);
  });
});
