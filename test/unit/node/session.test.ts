import { expect } from 'chai';
import { parseConfig } from '../../../src/config/index.ts';
import type { Layer } from '../../../src/config/index.ts';
import { decodeIdentity, encodeHandshake, methods } from '../../../src/node/cluster/calls.ts';
import { encodeAnswer } from '../../../src/node/cluster/joining.ts';
import { Session } from '../../../src/node/session.ts';
import type { SessionInit } from '../../../src/node/session.ts';
import { asClusterId, asNodeId, QuorateError, seededRandom } from '../../../src/shared/index.ts';
import type { PeerHandlers } from '../../../src/transport/index.ts';
import { member } from '../../support/raft-fixtures.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';
import { LinesLogger, stateOf } from './support.ts';

const clusterId = asClusterId('one');
const nothing = (): Promise<void> => Promise.resolve();
const never = new Promise<never>(() => undefined);

/** A node on a disk of the test, called by nobody but the test. */
class Stage {
  readonly seen: string[] = [];
  handlers: PeerHandlers | null = null;
  /** Questions over gossip that wait for their answer. */
  readonly questions: ((answer: Uint8Array) => void)[] = [];

  async start(directory: object, flags: Layer = {}): Promise<void> {
    const exchange = (): Promise<Uint8Array> =>
      new Promise((resolve) => this.questions.push(resolve));
    const init = {
      config: parseConfig({ flags, environment: {}, file: {}, isTerminal: false }),
      surroundings: {
        clock: new VirtualClock(),
        random: seededRandom(1),
        makeTransport: () => ({
          start: (handlers: PeerHandlers) => {
            this.handlers = handlers;
            return nothing();
          },
          stop: nothing,
          setIdentity: () => undefined,
        }),
        makeGossipSockets: () => ({ start: nothing, stop: nothing, exchange }),
      },
      logger: new LinesLogger(),
      directory: { rejoining: () => Promise.resolve(null), ...directory },
      onFatal: (error: unknown) => this.seen.push(`fatal ${(error as Error).message}`),
      onRenew: () => this.seen.push('renew'),
    };
    await Session.start(init as unknown as SessionInit);
  }

  handshake(wish: { readonly adopt: boolean; readonly renew: boolean }): Promise<Uint8Array> {
    const body = encodeHandshake({ clusterId, ...wish, host: member('a') });
    return this.handlers?.onCall(null, methods.handshake, body) ?? never;
  }
}

describe('Session', () => {
  it('Session stops the node whose disk fails while a leader makes it one of its cluster', async () => {
    const stage = new Stage();
    const failure = new QuorateError('STORAGE_FAILED', 'the disk is gone');
    await stage.start({
      openLog: () => Promise.resolve(null),
      createLog: () => Promise.reject(failure),
    });
    expect(await stateOf(stage.handshake({ adopt: true, renew: false }))).to.equal(failure.code);
    expect(stage.seen).to.deep.equal(['fatal the disk is gone']);
  });

  it('Session that was let in while it looked for a cluster goes on asking until it is a member', async () => {
    const stage = new Stage();
    const directory = { openLog: () => Promise.resolve(null), createLog: () => never };
    await stage.start(directory, { bootstrap: 'true', gossipJoin: '127.0.0.1:9' });
    void stage.handshake({ adopt: true, renew: false });
    const [answer] = stage.questions.splice(0);
    answer?.(encodeAnswer({ clusterId: null, httpAddress: '' }));
    await stateOf(never);
    expect(stage.questions).to.have.length(1);
  });

  it('Session of a node whose data was set aside creates no cluster and asks whom it knew', async () => {
    const stage = new Stage();
    const directory = {
      openLog: () => Promise.resolve(null),
      rejoining: () => Promise.resolve([]),
    };
    await stage.start(directory, { bootstrap: 'true', gossipJoin: '127.0.0.1:9' });
    const [answer] = stage.questions.splice(0);
    answer?.(encodeAnswer({ clusterId: null, httpAddress: '127.0.0.1:9' }));
    await stateOf(never);
    expect(stage.seen).to.deep.equal([]);
  });

  it('Session of a node that still loads its state does not know of a removal: it stays', async () => {
    const stage = new Stage();
    const identity = { clusterId, nodeId: asNodeId('node1'), incarnation: member('a').incarnation };
    await stage.start({
      openLog: () => Promise.resolve({ recovered: { identity } }),
      nextEpoch: () => never,
    });
    const answer = await stateOf(stage.handshake({ adopt: false, renew: true }));
    expect(stage.seen).to.deep.equal([]);
    expect(decodeIdentity(answer as Uint8Array)).to.deep.include({ clusterId });
  });
});
