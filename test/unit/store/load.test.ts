import { expect } from 'chai';
import { codeOf } from '../../../src/shared/index.ts';
import { metaRow, nextEpochWrite, StateMachine } from '../../../src/store/index.ts';
import { ProtoWriter } from '../../../src/wire/index.ts';
import { put, Store } from './harness.ts';

function codeOfLoading(row: readonly number[], value: Uint8Array): string | undefined {
  try {
    new StateMachine().load(Uint8Array.from(row), value);
    return undefined;
  } catch (error) {
    return codeOf(error);
  }
}

describe('StateMachine load', () => {
  it('load refuses rows that it would not have written', () => {
    const bad = Uint8Array.of(0xff);
    const rows = [[], [9], [1], [2, 0, 0, 65], [2, 0, 0], [4, 0, 65], [5, 0], [6]];
    for (const row of rows) expect(codeOfLoading(row, bad), row.join()).to.equal('STORAGE_DAMAGED');
    expect(codeOfLoading([4, 0, 65], new Uint8Array(0))).to.equal('STORAGE_DAMAGED');
  });

  it('load stops at a newer cluster version without calling it damage', () => {
    const newer = new ProtoWriter(16).uint(1, 5).uint(2, 1).uint(3, 2).take();
    expect(codeOfLoading([1], newer)).to.equal('STORAGE_FAILED');
  });

  it('load of no rows is the first state: epoch 1, revision 0', () => {
    const { machine } = new Store();
    expect(machine).to.include({ epoch: 1, revision: 0, clusterVersion: 1, keyCount: 0 });
  });

  it('nextEpochWrite keeps the revision and puts later tokens above all earlier ones', () => {
    const store = new Store();
    store.must(put('a', '1'));
    store.must(store.baseline('a', 'UP'));
    const first = store.must(store.recordEvent('a', { tracked: false }));
    const name = String.fromCharCode(...metaRow());
    const write = nextEpochWrite(store.rows.get(name)?.value ?? null);
    store.rows.set(name, { row: write.row, value: write.value ?? new Uint8Array() });
    const recovered = store.restored();
    expect(recovered.machine).to.include({ epoch: 2, revision: first });
    const second = recovered.must(recovered.recordEvent('a', { from: 'DOWN', to: 'UP' }));
    expect(recovered.event(second).token > store.event(first).token).to.equal(true);
    expect(nextEpochWrite(null).row).to.deep.equal(metaRow());
    expect(() => nextEpochWrite(Uint8Array.of(0xff))).to.throw('does not decode');
  });
});
