import { createSocket } from 'node:dgram';
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { expect } from 'chai';
import { seededRandom } from '../../src/shared/index.ts';
import {
  gossipSockets,
  MemoryGossipNetwork,
  memoryGossipSockets,
  parseGossipKeys,
} from '../../src/transport/index.ts';
import type { GossipSockets, GossipSocketsInit } from '../../src/transport/index.ts';
import { describeGossipTransport, realTurns, silentLogger } from './gossip-transport.ts';

const initOf = (listen: string, handlers: Partial<GossipSocketsInit>): GossipSocketsInit => ({
  listen,
  logger: silentLogger,
  onDatagram: () => undefined,
  onExchange: () => null,
  onSendFailed: () => undefined,
  ...handlers,
});

const realSockets = (handlers: Partial<GossipSocketsInit>, listen = '127.0.0.1:0'): GossipSockets =>
  gossipSockets(initOf(listen, handlers));

const keys = [randomBytes(32), randomBytes(16)];

describeGossipTransport({
  name: 'UDP and TCP',
  make: realSockets,
  makeOn: (address) => realSockets({}, address),
  nowhere: '127.0.0.1:1',
  settle: realTurns,
});

describeGossipTransport({
  name: 'UDP and TCP, encrypted',
  make: (handlers) => realSockets({ ...handlers, keys }),
  makeOn: (address) => realSockets({ keys }, address),
  nowhere: '127.0.0.1:1',
  settle: realTurns,
});

describeGossipTransport({
  name: 'UDP and TCP, by host name',
  make: (handlers) => realSockets(handlers, 'localhost:0'),
  makeOn: (address) => realSockets({}, address),
  nowhere: 'localhost:1',
  settle: realTurns,
});

{
  let nextNode = 1;
  const clock = {
    monotonicMs: () => performance.now(),
    wallMs: () => Date.now(),
    after: (delayMs: number, run: () => void) => {
      const timer = setTimeout(run, delayMs);
      return () => clearTimeout(timer);
    },
    afterPendingInput: (run: () => void) => void setImmediate(run),
  };
  const network = new MemoryGossipNetwork(clock, seededRandom(1));
  describeGossipTransport({
    name: 'memory',
    make: (handlers) => memoryGossipSockets(network, initOf(`m${nextNode++}:8000`, handlers)),
    makeOn: (address) => memoryGossipSockets(network, initOf(address, {})),
    nowhere: 'nowhere:8000',
    settle: realTurns,
  });
}

describe('gossip sockets: what strangers send', () => {
  let open: GossipSockets[] = [];

  const start = async (handlers: Partial<GossipSocketsInit>): Promise<GossipSockets> => {
    const sockets = realSockets(handlers);
    await sockets.start();
    open.push(sockets);
    return sockets;
  };

  afterEach(async () => {
    for (const sockets of open) await sockets.stop();
    open = [];
  });

  const portOf = (sockets: GossipSockets): number => Number(sockets.address().split(':')[1]);

  const sendOverTcp = (port: number, bytes: Uint8Array): Promise<number> =>
    new Promise((resolve) => {
      let received = 0;
      const socket = connect({ host: '127.0.0.1', port });
      socket.on('data', (chunk) => (received += chunk.length));
      socket.on('error', () => undefined);
      socket.on('close', () => resolve(received));
      socket.write(bytes);
    });

  it('a length above the limit closes the connection before its bytes come', async () => {
    const asked: Uint8Array[] = [];
    const a = await start({ onExchange: (_from, bytes) => (asked.push(bytes), null) });
    expect(await sendOverTcp(portOf(a), Uint8Array.of(255, 255, 255, 255, 1))).to.equal(0);
    expect(asked).to.have.lengthOf(0);
  });

  it('random bytes over TCP and UDP leave the sockets working', async () => {
    const a = await start({ onExchange: () => Uint8Array.of(5) });
    const b = await start({});
    const udp = createSocket('udp4');
    for (let i = 0; i < 50; i++) {
      udp.send(randomBytes(1 + (i % 40)), portOf(a), '127.0.0.1');
      const head = Buffer.alloc(4);
      head.writeUInt32BE(i);
      await sendOverTcp(portOf(a), Buffer.concat([head, randomBytes(i)]));
    }
    udp.close();
    expect([...(await b.exchange(a.address(), Uint8Array.of(1), 2_000))]).to.deep.equal([5]);
  });

  it('with keys, plain, forged and repeated datagrams are not delivered', async () => {
    const heard: number[] = [];
    const a = await start({ keys, onDatagram: (_from, bytes) => heard.push(bytes[0] ?? -1) });
    const b = await start({ keys });
    const tapped: Buffer[] = [];
    const tap = createSocket('udp4');
    await new Promise<void>((resolve) => tap.bind(0, '127.0.0.1', () => resolve()));
    tap.on('message', (bytes) => tapped.push(bytes));
    b.send(`127.0.0.1:${tap.address().port}`, Uint8Array.of(1));
    b.send(`127.0.0.1:${tap.address().port}`, Uint8Array.of(2));
    while (tapped.length < 2) await realTurns();
    const [first, second] = tapped as [Buffer, Buffer];
    const forged = Buffer.from(second);
    forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1;
    for (const bytes of [Buffer.of(9), forged, first, first, second])
      await new Promise<void>((resolve) => {
        tap.send(bytes, portOf(a), '127.0.0.1', () => resolve());
      });
    while (!heard.includes(2)) await realTurns();
    tap.close();
    expect(heard).to.deep.equal([1, 2]);
  });

  it('with keys, any of them opens and another one does not', async () => {
    const a = await start({ keys, onExchange: () => Uint8Array.of(5) });
    const b = await start({ keys: keys.toReversed() });
    const c = await start({ keys: [randomBytes(32)] });
    expect([...(await b.exchange(a.address(), Uint8Array.of(1), 2_000))]).to.deep.equal([5]);
    const failure: unknown = await c
      .exchange(a.address(), Uint8Array.of(1), 2_000)
      .catch((error: unknown) => error);
    expect(failure).to.be.instanceOf(Error);
  });

  it('parseGossipKeys() takes one key a line and names a bad line', () => {
    const text = `# ours\n${randomBytes(32).toString('base64')}\n\n${randomBytes(16).toString('base64')}\n`;
    expect(parseGossipKeys(text).map((key) => key.length)).to.deep.equal([32, 16]);
    expect(() => parseGossipKeys('AAAA\n')).to.throw('line 1');
    expect(() => parseGossipKeys('\n# none\n')).to.throw('found none');
  });
});
