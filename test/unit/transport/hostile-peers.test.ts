import { connect as connectHttp2 } from 'node:http2';
import type { Settings } from 'node:http2';
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { expect } from 'chai';
import { seededRandom, utf8 } from '../../../src/shared/index.ts';
import { parseAddress } from '../../../src/transport/peer/address.ts';
import type { RpcName } from '../../../src/transport/peer/pipes.ts';
import { encodeRaftMessage } from '../../../src/wire/index.ts';
import {
  append,
  codeOfRejection,
  freeAddress,
  heartbeat,
  isConnected,
  one,
  TestIntake,
  two,
  until,
} from '../../contract/peer-transport-support.ts';
import { hello, Strangers } from './raw-peer.ts';

const patienceMs = 8000;

function rawSocket(address: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(parseAddress(address), () => resolve(socket));
    socket.on('error', reject);
    socket.resume();
  });
}

describe('PeerTransport on gRPC, among strangers', () => {
  let strangers: Strangers;
  beforeEach(() => (strangers = new Strangers()));
  afterEach(() => strangers.end());

  it('random bytes change nothing', async () => {
    const node = await strangers.nodes.start(one, await freeAddress());
    const random = seededRandom(7);
    for (let attempt = 0; attempt < 20; attempt++) {
      const socket = await rawSocket(node.address);
      socket.on('error', () => undefined);
      socket.write(Buffer.from(random.hex(1 + random.intBelow(2000)), 'hex'));
      if (attempt % 2 === 0) socket.resetAndDestroy();
      else socket.end();
    }
    await strangers.expectUntouchedAndServing(node);
  });

  it('a connection carries one stream, so that what half frames can hold is bounded', async () => {
    const node = await strangers.nodes.start(one, await freeAddress());
    const session = connectHttp2(`http://${node.address}`);
    strangers.closeAtEnd(session);
    const settings = await new Promise<Settings>((resolve) => {
      session.once('remoteSettings', resolve);
    });
    expect(settings.maxConcurrentStreams).to.equal(1);
  });

  it('HTTP/2 with garbage behind its preface changes nothing', async () => {
    const node = await strangers.nodes.start(one, await freeAddress());
    const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    const settings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
    const random = seededRandom(8);
    for (let attempt = 0; attempt < 20; attempt++) {
      const socket = await rawSocket(node.address);
      socket.on('error', () => undefined);
      const garbage = Buffer.from(random.hex(1 + random.intBelow(500)), 'hex');
      socket.end(Buffer.concat([preface, settings, garbage]));
    }
    await strangers.expectUntouchedAndServing(node);
  });

  it('a stream without a hello is closed', async () => {
    const node = await strangers.nodes.start(one, await freeAddress());
    const peer = strangers.dial(node, 'Control');
    peer.call.write({ body: 'batch', batch: { messages: [] } });
    expect(await peer.end()).to.equal('its first frame is not a hello');
    await strangers.expectUntouchedAndServing(node);
  });

  it('a stream that stays silent is closed', async () => {
    const node = await strangers.nodes.start(one, await freeAddress());
    const peer = strangers.dial(node, 'Calls');
    expect(await peer.end()).to.equal('it sends no hello');
  }).timeout(15_000);

  it('another protocol version is refused', async () => {
    const node = await strangers.nodes.start(one, await freeAddress());
    for (const rpc of ['Control', 'CallAddress'] as const) {
      const peer = strangers.dial(node, rpc);
      peer.call.write({ ...hello, hello: { ...hello.hello, version: 2 } });
      expect(await peer.end()).to.equal('it speaks protocol 2, not 1');
    }
    await strangers.expectUntouchedAndServing(node);
  });

  it('messages that cannot be read end their stream, none of their frame is handled', async () => {
    const node = await strangers.nodes.start(one, await freeAddress());
    const peer = strangers.dial(node, 'Control');
    peer.call.write(hello);
    const good = encodeRaftMessage(heartbeat(two, one, 1));
    peer.call.write({
      body: 'batch',
      batch: { messages: [good, new Uint8Array([255, 255, 255])] },
    });
    expect(await peer.end()).to.equal('it sends a message that cannot be read');
    await strangers.expectUntouchedAndServing(node);
  });

  it('messages for another node end their stream', async () => {
    const node = await strangers.nodes.start(one, await freeAddress());
    const peer = strangers.dial(node, 'Append');
    peer.call.write(hello);
    const messages = [encodeRaftMessage(append(two, two, new Uint8Array(3)))];
    peer.call.write({ body: 'batch', batch: { messages } });
    expect(await peer.end()).to.match(/^it sends what is meant for/);
    await strangers.expectUntouchedAndServing(node);
  });

  it('frames of another kind end their stream', async () => {
    const node = await strangers.nodes.start(one, await freeAddress());
    const wrong: readonly (readonly [RpcName, RegExp])[] = [
      ['Control', /batches only/],
      ['Calls', /requests only/],
      ['Snapshot', /does not carry 'done'/],
    ];
    for (const [rpc, reason] of wrong) {
      const peer = strangers.dial(node, rpc);
      peer.call.write(hello);
      peer.call.write({ body: 'done', done: {} });
      expect(await peer.end()).to.match(reason);
    }
    await strangers.expectUntouchedAndServing(node);
  });

  it('a newer stream of a peer takes the place of its old one', async () => {
    const node = await strangers.nodes.start(one, await freeAddress());
    const old = strangers.dial(node, 'Control');
    old.call.write(hello);
    await until('the first hello', () => old.frames.length === 1);
    const newer = strangers.dial(node, 'Control');
    newer.call.write(hello);
    expect(await old.end()).to.equal('a newer stream took its place');
    const messages = [encodeRaftMessage(heartbeat(two, one, 1))];
    newer.call.write({ body: 'batch', batch: { messages } });
    await until('a message', () => node.received.messages.length === 1);
  });

  it('a chunk out of turn ends the snapshot', async () => {
    const node = await strangers.nodes.start(one, await freeAddress());
    const intake = new TestIntake();
    node.received.takeSnapshot = intake.receive;
    const peer = strangers.dial(node, 'Snapshot');
    peer.call.write(hello);
    const header = new Uint8Array(0);
    peer.call.write({ body: 'offer', offer: { term: 1, header, resumeKey: 'k', chunkCount: 5 } });
    await until('the start', () => peer.frames.at(-1)?.body === 'start');
    peer.call.write({ body: 'chunk', chunk: { number: 1, bytes: header } });
    expect(await peer.end()).to.match(/out of turn/);
    await until('the abort', () => intake.aborts.length === 1);
    expect(intake.chunks).to.be.empty;
  });

  it('a snapshot that ends early is aborted', async () => {
    const node = await strangers.nodes.start(one, await freeAddress());
    const intake = new TestIntake();
    node.received.takeSnapshot = intake.receive;
    const peer = strangers.dial(node, 'Snapshot');
    peer.call.write(hello);
    const bytes = new Uint8Array(10);
    peer.call.write({
      body: 'offer',
      offer: { term: 1, header: bytes, resumeKey: 'k', chunkCount: 2 },
    });
    peer.call.write({ body: 'chunk', chunk: { number: 0, bytes } });
    peer.call.end();
    await until('the abort', () => intake.aborts.length === 1);
    expect(intake.isFinished).to.be.false;
  });

  it('an append of 12 MiB gets through', async () => {
    const [first, second] = await strangers.nodes.pair();
    first.transport.send(append(one, two, new Uint8Array(12 * 1024 * 1024)));
    await until('the append', () => second.received.messages.length === 1);
  });

  it('a message too large for any frame is dropped, the link stands', async () => {
    const [first, second] = await strangers.nodes.pair();
    first.transport.send(append(one, two, new Uint8Array(16 * 1024 * 1024)));
    first.transport.send(append(one, two, new Uint8Array(1)));
    await until('the next append', () => second.received.messages.length === 1);
    expect(first.log.complaints).to.deep.equal([
      'Cannot send appendRequest to n2@0000000000000002: it is too large',
    ]);
    expect(first.transport.status()[0]?.droppedMessages).to.equal(1);
    expect(isConnected(first)).to.be.true;
  });

  it('a server that is none of ours is UNREACHABLE', async () => {
    const address = await freeAddress();
    const server = await webServer(address);
    strangers.closeAtEnd(server);
    const node = await strangers.nodes.start(one, await freeAddress());
    node.transport.setPeers(new Map([[two, address]]));
    const call = node.transport.call(two, 'propose', utf8('x'), patienceMs);
    expect(await codeOfRejection(call)).to.equal('UNREACHABLE');
    const byAddress = node.transport.callAddress(address, 'handshake', utf8('x'), patienceMs);
    expect(await codeOfRejection(byAddress)).to.equal('UNREACHABLE');
  });
});

/** Answers everything as a web server would that knows no HTTP/2. */
function webServer(address: string): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  });
  const { host, port } = parseAddress(address);
  return new Promise((resolve) => {
    server.listen(port, host, () => resolve(server));
  });
}
