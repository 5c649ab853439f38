import { expect } from 'chai';
import * as fc from 'fast-check';
import protobuf from 'protobufjs';
import { asClusterId, asNodeId, codeOf } from '../../../src/shared/index.ts';
import {
  decodeFrame,
  encodeDigest,
  encodeHead,
  encodeMember,
  encodeOpening,
  encodeReport,
  encodeSegment,
  joinParts,
} from '../../../src/wire/index.ts';
import type { GossipFrame } from '../../../src/wire/index.ts';
import { digest, head, report, rumour, segment } from '../../support/gossip-arbitraries.ts';

const seed = 1;
const clusterId = asClusterId('00112233445566778899aabbccddeeff');
const sender = { nodeId: asNodeId('n1'), epoch: 1_700_000_000_000, counter: 3 };

const opening = fc.record(
  {
    sender: fc.constant(sender),
    ping: fc.record({
      sequence: fc.integer({ min: 1, max: 2 ** 40 }),
      target: fc.constant(asNodeId('n2')),
    }),
    pingRequest: fc.record({
      sequence: fc.integer({ min: 1 }),
      target: fc.constant(asNodeId('n3')),
    }),
    ack: fc.nat(),
    nack: fc.nat(),
    sync: fc.boolean(),
    more: fc.boolean(),
  },
  { requiredKeys: ['sender'] },
);

const lists = fc.record({
  members: fc.array(rumour, { maxLength: 4 }),
  segments: fc.array(segment, { maxLength: 4 }),
  reports: fc.array(report, { maxLength: 4 }),
  heads: fc.array(head, { maxLength: 4 }),
  digests: fc.array(digest, { maxLength: 4 }),
});

type Lists = Pick<GossipFrame, 'members' | 'segments' | 'reports' | 'heads' | 'digests'>;

const encode = (start: Parameters<typeof encodeOpening>[1], items: Lists): Uint8Array =>
  joinParts([
    encodeOpening(clusterId, start),
    ...items.members.map(encodeMember),
    ...items.segments.map(encodeSegment),
    ...items.reports.map(encodeReport),
    ...items.heads.map(encodeHead),
    ...items.digests.map(encodeDigest),
  ]);

function codeOfDecoding(bytes: Uint8Array): string {
  try {
    decodeFrame(bytes);
    return 'none';
  } catch (error) {
    return codeOf(error) ?? String(error);
  }
}

describe('decodeFrame', () => {
  it('decodeFrame() gives back what was encoded', () => {
    fc.assert(
      fc.property(opening, lists, (start, items) => {
        const frame = decodeFrame(encode(start, items));
        expect(frame).to.deep.equal({
          clusterId,
          ping: null,
          pingRequest: null,
          ack: 0,
          nack: 0,
          sync: false,
          more: false,
          ...start,
          ...items,
        });
      }),
      { seed, numRuns: 300 },
    );
  });

  it('what is encoded is a Frame of proto/gossip.proto, and the same the other way round', async () => {
    const root = await protobuf.load('proto/gossip.proto');
    const Frame = root.lookupType('quorate.gossip.v1.Frame');
    fc.assert(
      fc.property(opening, lists, (start, items) => {
        const bytes = encode(start, items);
        const message = Frame.decode(bytes);
        const again = Frame.encode(message).finish();
        expect(decodeFrame(again)).to.deep.equal(decodeFrame(bytes));
      }),
      { seed, numRuns: 200 },
    );
  });

  it('decodeFrame() of random bytes throws PARAM_INVALID', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(codeOfDecoding(bytes)).to.equal('PARAM_INVALID');
      }),
      { seed, numRuns: 3_000 },
    );
  });

  it('decodeFrame() of a frame with changed bytes throws PARAM_INVALID or gives a frame', () => {
    const changes = fc.array(fc.tuple(fc.nat(10_000), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(opening, lists, changes, (start, items, places) => {
        const bytes = encode(start, items);
        for (const [place, value] of places) bytes[place % bytes.length] = value;
        expect(codeOfDecoding(bytes)).to.be.oneOf(['PARAM_INVALID', 'none']);
        const cut = bytes.subarray(0, (places[0]?.[0] ?? 0) % bytes.length);
        expect(codeOfDecoding(cut)).to.be.oneOf(['PARAM_INVALID', 'none']);
      }),
      { seed, numRuns: 2_000 },
    );
  });

  it('decodeFrame() skips fields of later versions', () => {
    const later = Uint8Array.of(((100 << 3) & 0x7f) | 0x80, (100 << 3) >> 7, 5);
    const bytes = joinParts([encodeOpening(clusterId, { sender, ack: 9 }), later]);
    expect(decodeFrame(bytes).ack).to.equal(9);
  });

  it('decodeFrame() refuses names and addresses that are too long', () => {
    for (const { record, ...rest } of fc.sample(rumour, { seed, numRuns: 5 })) {
      const long = { ...rest, record: { ...record, address: 'a'.repeat(261) } };
      const bytes = joinParts([encodeOpening(clusterId, { sender }), encodeMember(long)]);
      expect(codeOfDecoding(bytes)).to.equal('PARAM_INVALID');
    }
  });
});
