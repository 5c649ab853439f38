import { expect } from 'chai';
import { codeOf } from '../../../src/shared/index.ts';
import { StateMachine } from '../../../src/store/index.ts';
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

  it('raiseEpoch puts later tokens above all earlier ones, also after a restart', () => {
    const store = new Store();
    store.must(put('a', '1'));
    store.must(store.baseline('a', 'UP'));
    const first = store.must(store.recordEvent('a', { tracked: false }));
    store.must({ kind: 'raiseEpoch', epoch: 0 });
    expect(store.machine.epoch).to.equal(2);
    store.must({ kind: 'raiseEpoch', epoch: 1_800_000_000 });
    store.must({ kind: 'raiseEpoch', epoch: 7 });
    const recovered = store.restored();
    expect(recovered.machine).to.include({ epoch: 1_800_000_001, revision: first + 3 });
    const second = recovered.must(recovered.recordEvent('a', { from: 'DOWN', to: 'UP' }));
    expect(recovered.event(second).token > store.event(first).token).to.equal(true);
  });

  it('raiseEpoch refuses what no token can hold and is undone with its command', () => {
    const store = new Store();
    expect(store.run({ kind: 'raiseEpoch', epoch: 10_000_000_000 })).to.include({ ok: false });
    expect(store.run({ kind: 'raiseEpoch', epoch: 5 }, put('', 'x'))).to.include({ ok: false });
    expect(store.machine.epoch).to.equal(1);
    store.must({ kind: 'raiseEpoch', epoch: 9_999_999_999 });
    expect(store.run({ kind: 'raiseEpoch', epoch: 1 })).to.include({ changed: false });
  });
});
