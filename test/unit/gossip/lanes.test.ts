import { expect } from 'chai';
import * as fc from 'fast-check';
import { Lane } from '../../../src/gossip/lane.ts';
import { Lanes } from '../../../src/gossip/lanes.ts';
import { limits } from '../../../src/gossip/limits.ts';

const bytes = (length: number, mark = 0): Uint8Array => new Uint8Array(length).fill(mark);
const sum = (parts: readonly Uint8Array[]): number =>
  parts.reduce((total, part) => total + part.length, 0);

describe('Lane', () => {
  it('take() gives each item as often as the limit says, the least sent first', () => {
    const lane = new Lane();
    lane.put('a', bytes(40, 1));
    expect(lane.take(50, 3).map((one) => one[0])).to.deep.equal([1]);
    lane.put('b', bytes(40, 2));
    const order = Array.from({ length: 6 }, () => lane.take(50, 3)[0]?.[0]);
    expect(order).to.deep.equal([2, 1, 2, 1, 2, undefined]);
    expect(lane.size).to.equal(0);
    expect(lane.bytes).to.equal(0);
  });

  it('put() of the same key replaces what was not sent yet and starts to count again', () => {
    const lane = new Lane();
    lane.put('a', bytes(20, 1));
    lane.take(100, 2);
    lane.put('a', bytes(30, 2));
    expect(lane.size).to.equal(1);
    expect([lane.take(100, 2), lane.take(100, 2)].map((one) => one[0]?.[0])).to.deep.equal([2, 2]);
    expect(lane.size).to.equal(0);
  });

  it('put() above the bound drops the most sent item', () => {
    const lane = new Lane();
    lane.put('first', bytes(10, 1));
    lane.take(100, 9);
    for (let i = 0; i < limits.laneItemsMax; i++) lane.put(`k${i}`, bytes(10, 2));
    expect(lane.size).to.equal(limits.laneItemsMax);
    lane.put('k0', bytes(10, 3));
    expect(lane.size).to.equal(limits.laneItemsMax);
    const all = lane.take(1_000_000, 9);
    expect(all.filter((one) => one[0] === 1)).to.deep.equal([]);
  });

  it('deleteAll() takes those of one prefix only', () => {
    const lane = new Lane();
    for (const key of ['a\0s1', 'a\0s2', 'ab\0s1']) lane.put(key, bytes(10));
    lane.deleteAll('a\0s');
    expect(lane.size).to.equal(1);
  });
});

describe('Lanes', () => {
  it('take() never exceeds its budget and leaves either lane its share', () => {
    const lengths = fc.array(fc.integer({ min: 20, max: 200 }), { maxLength: 60 });
    fc.assert(
      fc.property(lengths, lengths, fc.integer({ min: 0, max: 1_150 }), (members, health, room) => {
        const lanes = new Lanes();
        for (const [index, length] of members.entries())
          lanes.membership.put(`m${index}`, bytes(length, 1));
        for (const [index, length] of health.entries())
          lanes.health.put(`h${index}`, bytes(length, 2));
        const [memberBytes, healthBytes] = [lanes.membership.bytes, lanes.health.bytes];
        const taken = lanes.take(room, 9);
        const share = room * 0.4 - 200;
        const ofMark = (mark: number) => sum(taken.filter((one) => one[0] === mark));
        expect(sum(taken)).to.be.at.most(room);
        expect(ofMark(1)).to.be.at.least(Math.min(memberBytes, share));
        expect(ofMark(2)).to.be.at.least(Math.min(healthBytes, share));
      }),
      { seed: 1, numRuns: 500 },
    );
  });
});
