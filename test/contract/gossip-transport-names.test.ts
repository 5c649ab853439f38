import { expect } from 'chai';
import { Names } from '../../src/transport/gossip/names.ts';
import { realTurns } from './gossip-transport.ts';

describe('Names', () => {
  /** A lookup that ends when the test says so. */
  const slowLookup = () => {
    const asked: string[] = [];
    const endings: ((ip: string | null) => void)[] = [];
    const lookup = (host: string): Promise<string> => {
      asked.push(host);
      return new Promise((resolve, reject) => {
        endings.push((ip) => {
          if (ip === null) reject(new Error('not found'));
          else resolve(ip);
        });
      });
    };
    const end = async (ip: string | null): Promise<void> => {
      endings.shift()?.(ip);
      await realTurns();
    };
    return { asked, end, lookup };
  };

  it('resolve() takes literal addresses as they are', () => {
    const { asked, lookup } = slowLookup();
    const found: (string | null)[] = [];
    const names = new Names(lookup);
    names.resolve('10.0.0.1', (ip) => found.push(ip));
    names.resolve('::1', (ip) => found.push(ip));
    expect(found).to.deep.equal(['10.0.0.1', '::1']);
    expect(asked).to.deep.equal([]);
  });

  it('resolve() looks a name up once for all who wait, one name at a time', async () => {
    const { asked, end, lookup } = slowLookup();
    const found: (string | null)[] = [];
    const names = new Names(lookup);
    names.resolve('a', (ip) => found.push(ip));
    names.resolve('a', (ip) => found.push(ip));
    names.resolve('b', (ip) => found.push(ip));
    expect(asked).to.deep.equal(['a']);
    await end('10.0.0.1');
    expect(found).to.deep.equal(['10.0.0.1', '10.0.0.1']);
    expect(asked).to.deep.equal(['a', 'b']);
    await end('10.0.0.2');
    names.resolve('a', (ip) => found.push(ip));
    expect(found).to.deep.equal(['10.0.0.1', '10.0.0.1', '10.0.0.2', '10.0.0.1']);
    expect(asked).to.have.lengthOf(2);
  });

  it('resolve() of a name that is not found says so, also right afterwards', async () => {
    const { asked, end, lookup } = slowLookup();
    const found: (string | null)[] = [];
    const names = new Names(lookup);
    names.resolve('a', (ip) => found.push(ip));
    await end(null);
    names.resolve('a', (ip) => found.push(ip));
    expect(found).to.deep.equal([null, null]);
    expect(asked).to.have.lengthOf(1);
  });

  it('resolve() turns away more waiters than its bound', () => {
    const { lookup } = slowLookup();
    const found: (string | null)[] = [];
    const names = new Names(lookup);
    for (let i = 0; i < 100; i++) names.resolve('a', (ip) => found.push(ip));
    expect(found).to.have.lengthOf(84);
    expect(found.every((ip) => ip === null)).to.equal(true);
  });
});
