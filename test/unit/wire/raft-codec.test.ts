import { expect } from 'chai';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import type { Configuration, Entry, HardState, RaftMessage } from '../../../src/raft/index.ts';
import { asIndex, asPeerId, asTerm, codeOf, utf8 } from '../../../src/shared/index.ts';
import {
  decodeConfiguration,
  decodeEntry,
  decodeHardState,
  decodeRaftMessage,
  encodeConfiguration,
  encodeEntry,
  encodeHardState,
  encodeRaftMessage,
} from '../../../src/wire/index.ts';
import { configurationOf, entry, member, peer } from '../../support/raft-fixtures.ts';

const MAX = Number.MAX_SAFE_INTEGER;
const number = fc.oneof(fc.nat(300), fc.maxSafeNat(), fc.constantFrom(0, 2 ** 32, MAX));
const index = number.map(asIndex);
const term = number.map(asTerm);
const payload = fc.uint8Array({ maxLength: 40 });
const kind = fc.constantFrom('noop' as const, 'command' as const, 'configuration' as const);
const entries = fc.record<Entry>({
  index: fc.integer({ min: 1, max: MAX }).map(asIndex),
  term,
  kind,
  payload,
});
const bool = fc.boolean();

const bodies = fc.oneof(
  fc.record({
    kind: fc.constant('voteRequest' as const),
    preVote: bool,
    lastIndex: index,
    lastTerm: term,
    transfer: bool,
  }),
  fc.record({ kind: fc.constant('voteResponse' as const), preVote: bool, granted: bool }),
  fc.record({
    kind: fc.constant('appendRequest' as const),
    previousIndex: index,
    previousTerm: term,
    lastIndex: index,
    entries: fc.array(entries, { maxLength: 4 }),
    leaderCommit: index,
    readRound: number,
  }),
  fc.record({
    kind: fc.constant('appendResponse' as const),
    success: bool,
    index,
    hintIndex: index,
    hintTerm: term,
    readRound: number,
  }),
  fc.record({ kind: fc.constant('heartbeat' as const), commit: index, readRound: number }),
  fc.record({ kind: fc.constant('heartbeatResponse' as const), readRound: number }),
  fc.record({ kind: fc.constant('timeoutNow' as const) }),
  fc.record({ kind: fc.constant('readRequest' as const), requestId: number }),
  fc.record({
    kind: fc.constant('readResponse' as const),
    requestId: number,
    index: fc.option(index, { nil: null }),
  }),
);
const messages = fc
  .tuple(bodies, term)
  .map(([body, its]): RaftMessage => ({ from: peer('a'), to: peer('b'), term: its, ...body }));

/** Buffers and plain arrays compare by their bytes. */
const plain = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_, held: unknown) =>
      held instanceof Uint8Array ? Array.from(held) : held,
    ),
  );

const failure = (act: () => unknown): unknown => {
  try {
    act();
  } catch (error) {
    return codeOf(error);
  }
  return 'no error';
};

describe('Raft codec', () => {
  it('decodeRaftMessage() gives back what encodeRaftMessage() took, in plain numbers', () => {
    fc.assert(
      fc.property(messages, (message) => {
        const back: RaftMessage = decodeRaftMessage(encodeRaftMessage(message));
        expect(back).to.deep.equal(plainPayloads(message));
      }),
      { seed: 5, numRuns: 500 },
    );
  });

  it('encodeRaftMessage() writes what proto/raft.proto says', async () => {
    const root = await protobuf.load(
      new URL('../../../proto/raft.proto', import.meta.url).pathname,
    );
    const type = root.lookupType('quorate.raft.RaftMessage');
    fc.assert(
      fc.property(messages, (message) => {
        const decoded = type.decode(encodeRaftMessage(message));
        const { from, to, kind: name, ...rest } = message;
        const shown = type.toObject(decoded, { longs: Number, defaults: true, oneofs: true });
        expect(shown).to.deep.include({ from, to, term: rest.term, body: name });
        const body = shown[name] as Record<string, unknown>;
        for (const [field, value] of Object.entries(body)) {
          if (field.startsWith('_') || field === 'entries') continue;
          expect(value, field).to.equal((rest as Record<string, unknown>)[field] ?? 0);
        }
        if (message.kind === 'appendRequest') {
          expect((body['entries'] as unknown[]).length).to.equal(message.entries.length);
        }
        // And the other way: the reference encoder's bytes, field order and all.
        expect(decodeRaftMessage(type.encode(decoded).finish())).to.deep.equal(
          plainPayloads(message),
        );
      }),
      { seed: 6, numRuns: 200 },
    );
  });

  it('decodeRaftMessage() throws PARAM_INVALID for whatever is cut, and never anything else', () => {
    fc.assert(
      fc.property(messages, fc.nat(200), (message, at) => {
        const bytes = encodeRaftMessage(message);
        const cut = bytes.subarray(0, Math.min(at, bytes.length - 1));
        expect(failure(() => decodeRaftMessage(cut))).to.equal('PARAM_INVALID');
      }),
      { seed: 7, numRuns: 300 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        for (const decode of [
          decodeRaftMessage,
          decodeConfiguration,
          decodeEntry,
          decodeHardState,
        ]) {
          expect(['no error', 'PARAM_INVALID']).to.include(failure(() => decode(bytes)));
        }
      }),
      { seed: 8, numRuns: 400 },
    );
  });

  it('decodeRaftMessage() refuses numbers beyond 2^53 - 1, and peers that are none', () => {
    const good = encodeRaftMessage({
      kind: 'heartbeatResponse',
      from: peer('a'),
      to: peer('b'),
      term: asTerm(1),
      readRound: MAX,
    });
    const tooLarge = Uint8Array.from(good);
    const last = tooLarge.length - 1;
    tooLarge[last] = 0x7f;
    expect(failure(() => decodeRaftMessage(good))).to.equal('no error');
    expect(failure(() => decodeRaftMessage(tooLarge))).to.equal('PARAM_INVALID');
    const nobody = {
      kind: 'timeoutNow',
      from: asPeerId('a'),
      to: peer('b'),
      term: asTerm(1),
    } as const;
    expect(failure(() => decodeRaftMessage(encodeRaftMessage(nobody)))).to.equal('PARAM_INVALID');
  });

  it('encodeRaftMessage() stops at numbers that are not safe integers', () => {
    for (const bad of [-1, 1.5, NaN, 2 ** 53]) {
      const message = { kind: 'heartbeatResponse', from: peer('a'), to: peer('b') } as const;
      expect(() => encodeRaftMessage({ ...message, term: 1 as never, readRound: bad })).to.throw(
        /must be a safe integer/,
      );
    }
  });

  it('decodeRaftMessage() skips fields that it does not know', () => {
    const bytes = encodeRaftMessage({
      kind: 'timeoutNow',
      from: peer('a'),
      to: peer('b'),
      term: asTerm(1),
    });
    const later = Uint8Array.from([...bytes, ((50 << 3) & 0x7f) | 0x80, 3, 7]);
    expect(decodeRaftMessage(later).kind).to.equal('timeoutNow');
  });

  it('decodeConfiguration() gives back what encodeConfiguration() took', () => {
    const configuration: Configuration = {
      ...configurationOf('a b', 'c', 'd'),
      outgoingVoters: [peer('a')],
      removed: [peer('x'), peer('y9')],
    };
    expect(decodeConfiguration(encodeConfiguration(configuration))).to.deep.equal(configuration);
    const joint = { ...configuration, leaving: [member('x', 'voter')] };
    expect(decodeConfiguration(encodeConfiguration(joint))).to.deep.equal(joint);
    expect(decodeConfiguration(new Uint8Array(0)).members).to.deep.equal([]);
  });

  it('decodeEntry() and decodeHardState() give back what was encoded', () => {
    const held = entry(7, 3, 'x', 'configuration');
    expect(plain(decodeEntry(encodeEntry(held)))).to.deep.equal(plain(held));
    for (const hardState of [
      { term: asTerm(9), vote: peer('a') },
      { term: asTerm(0), vote: null },
    ] satisfies HardState[]) {
      expect(decodeHardState(encodeHardState(hardState))).to.deep.equal(hardState);
    }
  });

  it('decodeEntry() views the payload instead of copying it', () => {
    const bytes = encodeEntry({ ...entry(1, 1), payload: utf8('payload') });
    const { payload: view } = decodeEntry(bytes);
    expect(view.buffer).to.equal(bytes.buffer);
    expect(view.constructor).to.equal(Uint8Array);
  });
});

/** The message with payloads that compare equal to decoded ones. */
function plainPayloads(message: RaftMessage): RaftMessage {
  if (message.kind !== 'appendRequest') return message;
  const copies = message.entries.map((held) => ({
    ...held,
    payload: Uint8Array.from(held.payload),
  }));
  return { ...message, entries: copies };
}
