import { expect } from 'chai';
import type { Frame } from '../../../src/transport/peer/frames.ts';
import { ProtocolError } from '../../../src/transport/peer/inbound.ts';
import { FRAME_BYTES_MAX, GATHER_ITEMS_MAX } from '../../../src/transport/peer/limits.ts';
import { peerService } from '../../../src/transport/peer/rpc.ts';
import { ProtoWriter } from '../../../src/wire/index.ts';

describe('proto/peer.proto', () => {
  const { requestSerialize, requestDeserialize } = peerService.Control;
  const bytes = (text: string): Uint8Array => Buffer.from(text);

  it('carries every kind of frame there and back', () => {
    const failure = { code: 'CONFLICT', message: 'Cannot do it' };
    const frames: Frame[] = [
      { body: 'hello', hello: { version: 1, cluster: 'c', from: 'a@1', to: '', address: 'h:1' } },
      { body: 'batch', batch: { messages: [bytes('x'), bytes('')] } },
      { body: 'requests', requests: { requests: [{ id: 1, method: 'm', body: bytes('b') }] } },
      {
        body: 'responses',
        responses: {
          responses: [
            { id: 4_294_967_295, body: bytes('b'), failure: null },
            { id: 0, body: bytes(''), failure },
          ],
        },
      },
      {
        body: 'offer',
        offer: {
          term: Number.MAX_SAFE_INTEGER,
          header: bytes('h'),
          resumeKey: 'k',
          chunkCount: 3,
        },
      },
      { body: 'start', start: { chunk: 2 } },
      { body: 'chunk', chunk: { number: 2, bytes: bytes('c') } },
      { body: 'done', done: {} },
      { body: 'failure', failure },
    ];
    for (const frame of frames) {
      expect(requestDeserialize(requestSerialize(frame)), frame.body).to.deep.equal(frame);
    }
  });

  it('skips fields of a later release', () => {
    const request = { id: 7, method: 'm', body: bytes('b') };
    const later = Buffer.from([0xc2, 0x3e, 1, 0x78, 0xc8, 0x3e, 1]);
    const frame = requestSerialize({ body: 'requests', requests: { requests: [request] } });
    const read = requestDeserialize(Buffer.concat([frame, later]));
    expect(read).to.deep.equal({ body: 'requests', requests: { requests: [request] } });
  });

  it('takes as many items as a sender gathers, and not one more', () => {
    const failure = null;
    const count = (length: number): Frame[] => [
      { body: 'batch', batch: { messages: Array.from({ length }, () => bytes('')) } },
      {
        body: 'requests',
        requests: {
          requests: Array.from({ length }, (_, id) => ({ id, method: '', body: bytes('') })),
        },
      },
      {
        body: 'responses',
        responses: {
          responses: Array.from({ length }, (_, id) => ({ id, body: bytes(''), failure })),
        },
      },
    ];
    for (const frame of count(GATHER_ITEMS_MAX)) {
      expect(requestDeserialize(requestSerialize(frame)), frame.body).to.deep.equal(frame);
    }
    for (const frame of count(GATHER_ITEMS_MAX + 1)) {
      expect(() => requestDeserialize(requestSerialize(frame)), frame.body).to.throw(
        ProtocolError,
        /more than 4096/,
      );
    }
  });

  it('builds next to nothing of millions of empty items', () => {
    const items = Buffer.alloc(FRAME_BYTES_MAX - 16, Buffer.from([0x0a, 0]));
    const frame = Buffer.from(new ProtoWriter(32).presentBytes(3, items).take());
    const before = process.memoryUsage().heapUsed;
    expect(() => requestDeserialize(frame)).to.throw(ProtocolError);
    expect(process.memoryUsage().heapUsed - before).to.be.below(32 * 1024 * 1024);
  });

  it('is refused with two bodies, or cut anywhere', () => {
    const one = requestSerialize({ body: 'start', start: { chunk: 300 } });
    expect(() => requestDeserialize(Buffer.concat([one, one]))).to.throw(ProtocolError);
    for (let length = 1; length < one.length; length++) {
      expect(() => requestDeserialize(one.subarray(0, length))).to.throw(ProtocolError);
    }
  });

  it('has no body for what it does not know', () => {
    expect(requestDeserialize(Buffer.alloc(0))).to.not.have.property('body');
  });
});
