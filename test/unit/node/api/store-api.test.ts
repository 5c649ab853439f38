import { expect } from 'chai';
import { NodeStoreApi } from '../../../../src/node/api/index.ts';
import type { CurrentMember } from '../../../../src/node/api/index.ts';
import { asIndex, codeOf, fromUtf8 } from '../../../../src/shared/index.ts';
import { MemoryKvDisk, openStateEngine } from '../../../../src/storage/index.ts';
import type { SpoolableEngine } from '../../../../src/storage/index.ts';
import type { RowWrite } from '../../../../src/store/index.ts';
import {
  decodeBatch,
  encodeBatch,
  encodeEnvelope,
  StateMachine,
} from '../../../../src/store/index.ts';
import { VirtualClock } from '../../../support/virtual-clock.ts';
import { envelope, put } from '../../store/harness.ts';

const local = { consistency: 'local', timeoutMs: 1_000 } as const;

describe('NodeStoreApi', () => {
  let engine: SpoolableEngine;
  let machine: StateMachine;
  let failures: Error[];
  let api: NodeStoreApi;

  beforeEach(async () => {
    failures = [];
    engine = await openStateEngine({
      kvFactory: new MemoryKvDisk().mount(),
      directory: '/data/state-0',
      onFailure: (error) => failures.push(error),
    });
    machine = new StateMachine();
    machine.finishLoad(asIndex(0));
    const member = { replica: { state: { machine, engine }, isReplacingState: false } };
    const clock = new VirtualClock();
    api = new NodeStoreApi({ member: () => member, clock } as unknown as CurrentMember);
  });

  afterEach(() => engine.close());

  /** The rows do not reach the engine by themselves. */
  function apply(value: string): readonly RowWrite[] {
    const index = asIndex(machine.appliedIndex + 1);
    const envelopes = [encodeEnvelope(envelope({ then: [put('a', value)] }))];
    const batch = decodeBatch(encodeBatch({ timeMs: 1_000_000, envelopes }));
    return machine.apply(index, batch, () => null).writes;
  }

  it('get ends the node as damaged when the value row of a key is not there', async () => {
    apply('x');
    const error = await api.get('a', local).catch((failure: unknown) => failure);
    expect(codeOf(error)).to.equal('STORAGE_DAMAGED');
    expect(failures).to.deep.equal([error]);
  });

  it('get takes the newer value of a key that was put again while it looked', async () => {
    apply('x');
    const reading = api.get('a', local);
    await Promise.resolve();
    engine.enqueue(machine.appliedIndex, apply('another'));
    expect(fromUtf8((await reading) ?? new Uint8Array())).to.equal('another');
    expect(failures).to.deep.equal([]);
  });
});
