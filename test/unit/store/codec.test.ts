import { expect } from 'chai';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { fileURLToPath } from 'node:url';
import { utf8 } from '../../../src/shared/index.ts';
import {
  decodeBatch,
  decodeEnvelope,
  encodeBatch,
  encodeEnvelope,
} from '../../../src/store/index.ts';
import type { Operation } from '../../../src/store/index.ts';
import { anyEnvelope } from './arbitraries.ts';
import { compare, del, end, envelope, evidence, put, Store } from './harness.ts';

const schema = new protobuf.Root();
schema.resolvePath = (_origin, target) =>
  fileURLToPath(new URL(`../../../proto/${target}`, import.meta.url));

describe('store codec', () => {
  it('decodeEnvelope gives back what encodeEnvelope was given', () => {
    fc.assert(
      fc.property(anyEnvelope, (one) => {
        expect(decodeEnvelope(encodeEnvelope(one))).to.deep.equal(one);
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it('encodeEnvelope writes values of every length class as they are', () => {
    for (const length of [0, 1, 90, 127, 128, 16_383, 16_384, 524_288]) {
      const value = new Uint8Array(length).fill(7);
      const one = envelope({ then: [{ kind: 'put', key: utf8('k'), value }, del('x')] });
      expect(decodeEnvelope(encodeEnvelope(one)), `${length} bytes`).to.deep.equal(one);
    }
  });

  it('decodeBatch gives the time and the envelopes that encodeBatch joined', () => {
    const envelopes = [envelope({ then: [put('a', '1')] }), envelope({ else: [del('a')] })];
    const payload = encodeBatch({ timeMs: 1.7e12, envelopes: envelopes.map(encodeEnvelope) });
    expect(decodeBatch(payload)).to.deep.equal({ timeMs: 1.7e12, envelopes, minVersion: 1 });
  });

  it('decodeBatch keeps the place of an envelope that does not decode', () => {
    const good = encodeEnvelope(envelope({ then: [put('a', '1')] }));
    const payload = encodeBatch({ timeMs: 1, envelopes: [good, Uint8Array.of(0xff), good] });
    const { envelopes } = decodeBatch(payload);
    expect(envelopes.map((one) => one !== null)).to.deep.equal([true, false, true]);
  });

  it('decodeBatch takes any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const { timeMs, envelopes } = decodeBatch(bytes);
        expect(Number.isSafeInteger(timeMs)).to.equal(true);
        expect(envelopes).to.be.an('array');
        decodeEnvelope(bytes);
      }),
      { seed: 2, numRuns: 3000 },
    );
  });

  it('decodeEnvelope takes any damage of a real command', () => {
    const bytes = encodeEnvelope(everything());
    for (let at = 0; at < bytes.length; at++) {
      for (const wrong of [0x00, 0x7f, 0x80, 0xff]) {
        const damaged = bytes.slice();
        damaged[at] = wrong;
        decodeEnvelope(damaged);
      }
      decodeEnvelope(bytes.subarray(0, at));
    }
  });

  it('decodeEnvelope refuses integers above 2^53 - 1, unknown fields and empty operations', () => {
    const refused = [
      [0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10],
      [0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
      [0x78, 0x01],
      [0x3a, 0x00],
      [0x3a, 0x02, 0x7a, 0x00],
      [0x3a, 0x04, 0x0a, 0x00, 0x0a, 0x00],
    ];
    for (const bytes of refused) expect(decodeEnvelope(Uint8Array.from(bytes))).to.equal(null);
  });

  it('encodeEnvelope writes what proto/command.proto describes', () => {
    const root = schema.loadSync('command.proto');
    const type = root.lookupType('quorate.command.Envelope');
    const one = everything();
    const message = type.decode(encodeEnvelope(one));
    const again = type.encode(message).finish();
    expect(decodeEnvelope(again)).to.deep.equal(one);
    expect(type.toObject(message, { enums: String, longs: Number })).to.deep.include({
      minVersion: 1,
      session: 's',
      sequence: 2 ** 40,
    });
  });

  it('StateMachine writes rows that proto/state.proto describes', () => {
    const store = new Store();
    store.must(put('k', 'v'));
    store.must(store.baseline('k', 'UP'));
    const id = store.must(store.recordEvent('k'));
    const root = schema.loadSync('state.proto');
    const row = [...store.rows.values()].find((one) => one.row[0] === 5);
    const type = root.lookupType('quorate.state.EventRow');
    const event = type.toObject(type.decode(row?.value ?? new Uint8Array()), {
      enums: String,
      longs: Number,
    });
    expect(event).to.deep.include({ id, key: 'k', from: 'UP', to: 'DOWN', state: 'PENDING' });
  });

  it('StateMachine writes meta that proto/state.proto describes', () => {
    const store = new Store();
    store.runEnvelope(envelope({ session: 'me', sequence: 1, then: [put('k', 'v')] }));
    const row = [...store.rows.values()].find((one) => one.row[0] === 1);
    const type = schema.loadSync('state.proto').lookupType('quorate.state.MetaRow');
    const meta = type.toObject(type.decode(row?.value ?? new Uint8Array()), { longs: Number });
    expect(meta).to.deep.equal({
      revision: 1,
      epoch: 1,
      clusterVersion: 1,
      timeMs: store.timeMs,
      sessionUses: 1,
      sessionClockMs: store.limits.sessionStepMs,
    });
  });

  it('StateMachine writes sessions that proto/state.proto describes', () => {
    const store = new Store();
    store.runEnvelope(envelope({ session: 'me', sequence: 1, then: [put('k', 'v')] }));
    store.runEnvelope(envelope({ session: 'me', sequence: 3, keyspace: 'other' }));
    const row = [...store.rows.values()].find((one) => one.row[0] === 7);
    const type = schema.loadSync('state.proto').lookupType('quorate.state.SessionRow');
    const session = type.toObject(type.decode(row?.value ?? new Uint8Array()), {
      enums: String,
      longs: Number,
    });
    const refused = {
      code: 'PARAM_INVALID',
      message: 'Cannot take the keyspace as known: it is not',
    };
    expect(session).to.deep.equal({
      highest: 3,
      lastUse: 2,
      lastUsedMs: store.limits.sessionStepMs,
      ages: [2],
      successes: [4 * 1 + 2],
      failures: [refused],
    });
  });
});

function everything(): ReturnType<typeof envelope> {
  const store = new Store();
  const operations: Operation[] = [
    put('key', 'value'),
    del('other'),
    store.baseline('key', 'DOWN'),
    store.recordEvent('key', { evidence }),
    end(store.machine.revision, 2, { exitCode: -1, signal: 'SIGKILL', outcome: 'retry' }),
    { kind: 'putSettings', settings: { gossipQuorum: 'majority', eventHoldMs: 0 } },
    { kind: 'setNoSpace', nodes: 'node1, node2' },
    { kind: 'raiseEpoch', epoch: 1_800_000_000 },
  ];
  return envelope({
    principal: 'p',
    session: 's',
    sequence: 2 ** 40,
    compare: [compare('key', { target: 'value', relation: 'notEqual', bytes: utf8('x') })],
    then: operations,
    else: operations,
  });
}
