import { expect } from 'chai';
import * as fc from 'fast-check';
import { asClusterId, QuorateError } from '../../../src/shared/index.ts';
import { parseAddress } from '../../../src/transport/peer/address.ts';
import { BoundedQueue } from '../../../src/transport/peer/bounded-queue.ts';
import { errorOf, failureOf } from '../../../src/transport/peer/failures.ts';
import type { Frame } from '../../../src/transport/peer/frames.ts';
import { fellowOf, isOutdated, peerRefusalOf } from '../../../src/transport/peer/identity.ts';
import { InboundCalls } from '../../../src/transport/peer/inbound-calls.ts';
import { CALLS_SERVED_MAX, GATHER_ITEMS_MAX } from '../../../src/transport/peer/limits.ts';
import { LOG_INTERVAL_MS } from '../../../src/transport/peer/limits.ts';
import { LogGate } from '../../../src/transport/peer/log-gate.ts';
import {
  cluster,
  KeptLog,
  one,
  otherCluster,
  realClock,
  Recorder,
  two,
} from '../../contract/peer-transport-support.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

describe('BoundedQueue', () => {
  const bounds = { itemsMax: 5, bytesMax: 100 } as const;

  it('push() drops the oldest until the new one fits', () => {
    const queue = new BoundedQueue<string>({ ...bounds, drop: 'oldest' });
    queue.push('a', 40);
    queue.push('b', 40);
    expect(queue.push('c', 90)).to.equal(2);
    expect(queue.take(9, 999)).to.deep.equal(['c']);
  });

  it('push() drops the new one when the newest go', () => {
    const queue = new BoundedQueue<string>({ ...bounds, drop: 'newest' });
    queue.push('a', 60);
    expect(queue.push('b', 60)).to.equal(1);
    expect(queue.push('c', 40)).to.equal(0);
    expect(queue.take(9, 999)).to.deep.equal(['a', 'c']);
  });

  it('push() takes one item of any size when empty', () => {
    const queue = new BoundedQueue<string>({ ...bounds, drop: 'newest' });
    expect(queue.push('huge', 1000)).to.equal(0);
    expect(queue.take(1, 1)).to.deep.equal(['huge']);
  });

  it('take() stops before the item that exceeds the bytes', () => {
    const queue = new BoundedQueue<string>({ ...bounds, drop: 'newest' });
    for (const item of ['a', 'b', 'c']) queue.push(item, 30);
    expect(queue.take(9, 60)).to.deep.equal(['a', 'b']);
    expect(queue.length).to.equal(1);
  });

  it('stays within its bounds and in order whatever comes', () => {
    const step = fc.oneof(
      fc.record({ push: fc.integer({ min: 0, max: 60 }) }),
      fc.record({ take: fc.integer({ min: 1, max: 4 }) }),
    );
    const property = fc.property(
      fc.array(step, { maxLength: 200 }),
      fc.constantFrom('oldest' as const, 'newest' as const),
      (steps, drop) => {
        const queue = new BoundedQueue<{ id: number; bytes: number }>({ ...bounds, drop });
        let kept: { id: number; bytes: number }[] = [];
        steps.forEach((action, id) => {
          if ('take' in action) {
            expect(queue.take(action.take, 1e9)).to.deep.equal(kept.splice(0, action.take));
            return;
          }
          const item = { id, bytes: action.push };
          const dropped = queue.push(item, item.bytes);
          const isIn = drop === 'oldest' || dropped === 0;
          if (drop === 'oldest') kept = kept.slice(dropped);
          if (isIn) kept.push(item);
          const bytes = kept.reduce((sum, { bytes: size }) => sum + size, 0);
          expect(queue.length).to.equal(kept.length).and.to.be.at.most(bounds.itemsMax);
          expect(bytes <= bounds.bytesMax || kept.length === 1).to.be.true;
        });
      },
    );
    fc.assert(property, { seed: 1 });
  });

  it('stays right over thousands of items', () => {
    const queue = new BoundedQueue<number>({ itemsMax: 4096, bytesMax: 1e9, drop: 'oldest' });
    for (let item = 0; item < 10_000; item++) queue.push(item, 1);
    expect(queue.length).to.equal(4096);
    expect(queue.take(2, 10)).to.deep.equal([10_000 - 4096, 10_000 - 4095]);
  });
});

describe('identity of peers', () => {
  const identity = { self: one, clusterId: cluster, address: 'a:1' };
  const hello = { version: 1, cluster, from: two, to: one, address: 'b:1' };

  it('peerRefusalOf() lets a fellow in', () => {
    expect(peerRefusalOf(hello, identity)).to.be.null;
  });

  it('peerRefusalOf() names what does not fit', () => {
    const refusal = (part: object): string | null => peerRefusalOf({ ...hello, ...part }, identity);
    expect(refusal({ version: 2 })).to.equal('it speaks protocol 2, not 1');
    expect(refusal({ cluster: otherCluster })).to.match(/^its cluster is 'd+', not 'c+'$/);
    expect(refusal({ cluster: '' })).to.match(/^its cluster is ''/);
    expect(refusal({ to: 'n1@00' })).to.equal(`it looks for 'n1@00', this is '${one}'`);
    expect(refusal({ from: one })).to.match(/claims to be this node/);
    expect(refusal({ from: 'n2' })).to.match(/is not nodeId@incarnation/);
    const joiner = { ...identity, clusterId: null };
    expect(peerRefusalOf({ ...hello, cluster: '' }, joiner)).to.match(/has not joined/);
  });

  it('peerRefusalOf() tells two recoveries of one second apart, and says that it is for a person to choose', () => {
    const own = { ...identity, clusterId: asClusterId('c1.7.aa') };
    const refusal = peerRefusalOf({ ...hello, cluster: 'c1.7.bb' }, own);
    expect(refusal).to.match(
      /recovered twice in the same second, there as c1.7.bb, here as c1.7.aa/,
    );
    expect(isOutdated({ ...hello, cluster: 'c1.7.bb' }, own)).to.equal(false);
    expect(isOutdated({ ...hello, cluster: 'c1.6.bb' }, own)).to.equal(true);
  });

  it('fellowOf() names only who shows the same cluster', () => {
    expect(fellowOf(hello, identity)).to.equal(two);
    expect(fellowOf({ ...hello, cluster: otherCluster }, identity)).to.be.null;
    expect(fellowOf({ ...hello, cluster: '' }, { ...identity, clusterId: null })).to.be.null;
  });
});

describe('parseAddress()', () => {
  it('splits names, IPv4 and IPv6', () => {
    expect(parseAddress('db.example:7000')).to.deep.equal({ host: 'db.example', port: 7000 });
    expect(parseAddress('127.0.0.1:0')).to.deep.equal({ host: '127.0.0.1', port: 0 });
    expect(parseAddress('[::1]:7000')).to.deep.equal({ host: '::1', port: 7000 });
  });

  it('is PARAM_INVALID for anything else', () => {
    for (const address of ['', 'host', 'host:', ':7000', 'a:b:1', '::1:7000', 'host:70000']) {
      expect(() => parseAddress(address), address)
        .to.throw(QuorateError)
        .with.property('code', 'PARAM_INVALID');
    }
  });
});

describe('failures', () => {
  it('errorOf() gives back what failureOf() took', () => {
    const error = errorOf(failureOf(new QuorateError('STORE_FULL', 'Cannot put: full')));
    expect(error).to.include({ code: 'STORE_FULL', message: 'Cannot put: full' });
  });

  it('failureOf() hides what an unexpected error says', () => {
    expect(failureOf(new Error('secret')).message).to.not.include('secret');
  });

  it('errorOf() takes an unknown code for an unknown outcome', () => {
    for (const code of ['NEWER', 'toString', '']) {
      expect(errorOf({ code, message: 'm' }).code).to.equal('UNKNOWN_OUTCOME');
    }
  });
});

describe('LogGate', () => {
  it('passes() a complaint once in its interval', async () => {
    const clock = new VirtualClock();
    const gate = new LogGate(clock);
    expect([gate.passes('x'), gate.passes('x'), gate.passes('y')]).to.deep.equal([
      true,
      false,
      true,
    ]);
    await clock.advance(LOG_INTERVAL_MS);
    expect(gate.passes('x')).to.be.true;
  });
});

describe('InboundCalls', () => {
  it('leaves the stream unread while too many calls are served, and reads on after', async () => {
    const steps: string[] = [];
    let answered = 0;
    let finishAll: () => void = () => undefined;
    const finished = new Promise<void>((resolve) => {
      finishAll = resolve;
    });
    const stream = {
      hasRoom: true,
      write: (frame: Frame) => {
        if (frame.body !== 'responses') return;
        const { length } = frame.responses.responses;
        expect(length).to.be.at.most(GATHER_ITEMS_MAX);
        answered += length;
      },
      pause: () => steps.push('pause'),
      resume: () => steps.push('resume'),
      end: () => undefined,
    };
    const context = {
      identity: () => ({ self: one, clusterId: cluster, address: 'a:1' }),
      clock: realClock,
      logger: new KeptLog(),
      logGate: new LogGate(realClock),
      handlers: new Recorder(),
      onGreeted: () => undefined,
    };
    const calls = new InboundCalls(context, stream, async (_method, body) => {
      await finished;
      return body;
    });
    const body = new Uint8Array(1);
    const requests = Array.from({ length: CALLS_SERVED_MAX }, (_, id) => ({
      id,
      method: 'm',
      body,
    }));
    calls.onFrame({ body: 'requests', requests: { requests } });
    expect(steps).to.deep.equal(['pause']);
    finishAll();
    await new Promise(setImmediate);
    expect(answered).to.equal(CALLS_SERVED_MAX);
    expect(steps).to.deep.equal(['pause', 'resume']);
  });
});
