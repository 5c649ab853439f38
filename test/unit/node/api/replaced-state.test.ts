import { expect } from 'chai';

import { NodeStoreApi } from '../../../../src/node/api/index.ts';
import type { CurrentMember } from '../../../../src/node/api/index.ts';
import type { ReplicaState } from '../../../../src/node/replica/index.ts';
import { asIndex, codeOf, fromUtf8 } from '../../../../src/shared/index.ts';
import { MemoryKvDisk, openStateEngine } from '../../../../src/storage/index.ts';
import type { MemoryKvHooks } from '../../../../src/storage/index.ts';
import {
  decodeBatch,
  encodeBatch,
  encodeEnvelope,
  StateMachine,
} from '../../../../src/store/index.ts';
import { VirtualClock } from '../../../support/virtual-clock.ts';
import { envelope, put } from '../../store/harness.ts';

const timeoutMs = 1_000;
const local = { consistency: 'local', timeoutMs } as const;
const index = asIndex(1);

type Complete = Required<MemoryKvHooks>['complete'];
const atOnce: Complete = (_, finish) => finish();

/** `a` with this value, read from the database each time; `complete`: when what it is asked is done. */
async function stateWith(value: string, complete: Complete = atOnce): Promise<ReplicaState> {
  const kvFactory = new MemoryKvDisk({ complete }).mount();
  const init = { kvFactory, directory: '/data/state-1', settings: { cacheBytesMax: 0 } };
  const engine = await openStateEngine({ ...init, onFailure: () => undefined });
  const machine = new StateMachine();
  machine.finishLoad(asIndex(0));
  const envelopes = [encodeEnvelope(envelope({ then: [put('a', value)] }))];
  const batch = decodeBatch(encodeBatch({ timeMs: 1_000_000, envelopes }));
  engine.enqueue(index, machine.apply(index, batch, () => null).writes);
  await engine.flush();
  return { machine, engine };
}

describe('NodeStoreApi while a snapshot replaces the state', () => {
  let replica: { state: ReplicaState; isReplacingState: boolean };
  let clock: VirtualClock;
  let api: NodeStoreApi;
  let next: ReplicaState;

  beforeEach(async () => {
    clock = new VirtualClock();
    replica = { state: await stateWith('old'), isReplacingState: false };
    next = await stateWith('new');
    api = new NodeStoreApi({ member: () => ({ replica }), clock } as unknown as CurrentMember);
  });

  afterEach(async () => {
    await next.engine.close();
    await replica.state.engine.close();
  });

  /** As an install does it: the old state is closed some time before the new one is there. */
  async function beginSwitch(): Promise<void> {
    replica.isReplacingState = true;
    await replica.state.engine.close();
  }

  function endSwitch(): void {
    replica.state = next;
    replica.isReplacingState = false;
  }

  const get = async (): Promise<string> =>
    fromUtf8((await api.get('a', local)) ?? new Uint8Array());

  async function pairs(): Promise<readonly string[]> {
    const found: string[] = [];
    for await (const batch of api.pairs(timeoutMs)) {
      for (const [key, value] of batch) found.push(`${fromUtf8(key)}=${fromUtf8(value)}`);
    }
    return found;
  }

  it('get of a state that is closed already waits for the new one', async () => {
    await beginSwitch();
    const reading = get();
    await clock.advance(timeoutMs / 2);
    endSwitch();
    await clock.advance(timeoutMs / 2);
    expect(await reading).to.equal('new');
  });

  it('get whose read the close ended, and the database failed, reads the new one', async () => {
    const held: (() => void)[] = [];
    let isSlow = false;
    replica.state = await stateWith('old', ({ kind }, finish) => {
      if (isSlow && kind === 'read') held.push(finish);
      else finish();
    });
    isSlow = true;
    const reading = get();
    await clock.advance(0);
    await beginSwitch();
    endSwitch();
    expect(held.length).to.equal(1);
    for (const finish of held) finish();
    expect(await reading).to.equal('new');
  });

  it('get says that a snapshot is being installed when that takes longer than it may wait', async () => {
    await beginSwitch();
    const reading = api.get('a', local).catch((failure: unknown) => failure);
    await clock.advance(2 * timeoutMs);
    const error = await reading;
    expect(codeOf(error)).to.equal('OVERLOADED');
    expect((error as Error).message).to.contain('a snapshot is being installed');
  });

  it('pairs goes on in the new state', async () => {
    await beginSwitch();
    const reading = pairs();
    await clock.advance(timeoutMs / 2);
    endSwitch();
    await clock.advance(timeoutMs / 2);
    expect(await reading).to.deep.equal(['a=new']);
  });
});
