import { expect } from 'chai';
import { asPeerId } from '../../../src/shared/index.ts';
import { FRAME_BYTES_MAX } from '../../../src/transport/peer/limits.ts';
import { encodeRaftMessage, ProtoWriter } from '../../../src/wire/index.ts';
import { append, freeAddress, heartbeat, one, two } from '../../contract/peer-transport-support.ts';
import { hello, Strangers } from './raw-peer.ts';

describe('PeerTransport on gRPC, given frames that nobody honest sends', () => {
  let strangers: Strangers;
  beforeEach(() => (strangers = new Strangers()));
  afterEach(() => strangers.end());

  it('a first frame of millions of empty items is refused before they are built', async () => {
    const node = await strangers.nodes.start(one, await freeAddress());
    const wrong = {
      Control: ['batch', 'messages'],
      CallAddress: ['requests', 'requests'],
    } as const;
    for (const rpc of ['Control', 'CallAddress'] as const) {
      const [body, items] = wrong[rpc];
      const peer = strangers.dial(node, rpc);
      peer.call.write(emptyItems(body, FRAME_BYTES_MAX));
      expect(await peer.end()).to.equal(`it sends a frame with more than 4096 ${items}`);
    }
    await strangers.expectUntouchedAndServing(node);
    expect(node.log.complaints).to.include(
      'Closed the stream of a peer that breaks the protocol: ' +
        'it sends a frame with more than 4096 requests',
    );
  });

  it('bytes that are no frame end their stream', async () => {
    const node = await strangers.nodes.start(one, await freeAddress());
    const peer = strangers.dial(node, 'Control');
    peer.call.write(Buffer.from([255, 255, 255]));
    expect(await peer.end()).to.equal('it sends a frame that cannot be read');
    await strangers.expectUntouchedAndServing(node);
  });

  it('names of mebibytes are refused in few words that go into a header', async () => {
    const node = await strangers.nodes.start(one, await freeAddress());
    const long = '😀'.repeat(1024 * 1024);
    const stranger = strangers.dial(node, 'Control');
    stranger.call.write({ ...hello, hello: { ...hello.hello, cluster: long } });
    expect(await stranger.end()).to.equal('its hello has a text of more than 1024 characters');
    const fellow = strangers.dial(node, 'Control');
    fellow.call.write(hello);
    const message = encodeRaftMessage(heartbeat(asPeerId(`${long}@1`), one, 1));
    fellow.call.write({ body: 'batch', batch: { messages: [message] } });
    expect(await fellow.end()).to.match(/^it sends in the name of '(😀)+\ufffd\.\.\.$/u);
    await strangers.expectUntouchedAndServing(node);
  });

  it('a configuration that cannot be read ends its stream', async () => {
    const node = await strangers.nodes.start(one, await freeAddress());
    const peer = strangers.dial(node, 'Append');
    peer.call.write(hello);
    const whole = append(two, one, new Uint8Array([255]));
    if (whole.kind !== 'appendRequest') throw new Error('An append was made');
    const entries = whole.entries.map((entry) => ({ ...entry, kind: 'configuration' as const }));
    const messages = [encodeRaftMessage({ ...whole, entries })];
    peer.call.write({ body: 'batch', batch: { messages } });
    expect(await peer.end()).to.equal('it sends a message that cannot be read');
    await strangers.expectUntouchedAndServing(node);
  });
});

/** A frame of nearly this size with as many empty items as it can hold. */
function emptyItems(body: 'batch' | 'requests' | 'responses', bytes: number): Buffer {
  const items = Buffer.alloc(bytes - 16, Buffer.from([0x0a, 0x00]));
  const field = { batch: 2, requests: 3, responses: 4 }[body];
  return Buffer.from(new ProtoWriter(32).presentBytes(field, items).take());
}
