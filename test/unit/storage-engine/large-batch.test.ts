import { expect } from 'chai';

import { codeOf, utf8 } from '../../../src/shared/index.ts';
import type { Kv, KvWrite } from '../../../src/storage/kv/kv.ts';
import { removePlaces, rocksPlace } from './support.ts';

const rowCount = 4_000;
const rowAt = (i: number): Uint8Array => utf8(String(i).padStart(6, '0'));

describe('A large batch', () => {
  let kv: Kv;
  let taken: number;

  beforeEach(async () => {
    const { factory, root } = await rocksPlace();
    kv = await factory.open(`${root}/state-0`);
    taken = 0;
  });

  afterEach(() => kv.close().catch(() => undefined));
  after(removePlaces);

  function* rows(): Generator<KvWrite> {
    for (; taken < rowCount; taken++) yield { row: rowAt(taken), value: new Uint8Array(64) };
  }

  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  it('leaves turns to others while it is gathered', async () => {
    const batch = kv.batch(rows(), { sync: false });
    let turns = 0;
    for (; taken < rowCount; turns++) await turn();
    await batch;
    expect(turns).to.be.at.least(10);
    const [first, last] = await kv.getMany([rowAt(0), rowAt(rowCount - 1)]);
    expect([first?.length, last?.length]).to.deep.equal([64, 64]);
  });

  it('is refused when the database is closed while it is gathered', async () => {
    const batch = kv.batch(rows(), { sync: false }).catch(codeOf);
    expect(taken).to.be.below(rowCount);
    await kv.close();
    expect(await batch).to.equal('STORAGE_FAILED');
  });
});
