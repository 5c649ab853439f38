import { expect } from 'chai';
import { Deadlines } from '../../../src/health/index.ts';
import { asRevision } from '../../../src/shared/index.ts';

const keys = (...numbers: number[]) => numbers.map(asRevision);
const [one, two, three] = [asRevision(1), asRevision(2), asRevision(3)] as const;

describe('Deadlines', () => {
  it('takeDue() takes what is due, the earliest first, and leaves the rest', () => {
    const deadlines = new Deadlines();
    deadlines.set(one, 30);
    deadlines.set(two, 10);
    deadlines.set(three, 20);
    expect(deadlines.nextAtMs).to.equal(10);
    expect(deadlines.takeDue(9, 9)).to.deep.equal([]);
    expect(deadlines.takeDue(30, 2)).to.deep.equal(keys(2, 3));
    expect(deadlines.takeDue(30, 2)).to.deep.equal(keys(1));
    expect([deadlines.size, deadlines.nextAtMs]).to.deep.equal([0, null]);
  });

  it('set() moves a key and delete() takes it out', () => {
    const deadlines = new Deadlines();
    deadlines.set(one, 10);
    deadlines.set(one, 50);
    deadlines.set(two, 40);
    deadlines.delete(two);
    deadlines.delete(three);
    expect(deadlines.takeDue(49, 9)).to.deep.equal([]);
    expect(deadlines.takeDue(50, 9)).to.deep.equal(keys(1));
    deadlines.set(three, 1);
    deadlines.clear();
    expect([deadlines.size, deadlines.nextAtMs]).to.deep.equal([0, null]);
  });
});
