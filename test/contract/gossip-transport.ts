import { expect } from 'chai';
import type { GossipSockets, GossipSocketsInit } from '../../src/transport/index.ts';
import { codeOf } from '../../src/shared/index.ts';
import type { Logger } from '../../src/shared/index.ts';

export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** A turn of the event loop, so that sockets get to run. */
export const realTurns = (): Promise<void> => new Promise((resolve) => void setTimeout(resolve, 1));

/** How a suite makes sockets; each call listens on an address of its own. */
export interface GossipTransportKind {
  readonly name: string;
  make(handlers: Partial<GossipSocketsInit>): GossipSockets;
  /** Sockets on an address that is taken. */
  makeOn(address: string): GossipSockets;
  /** An address where nothing listens. */
  readonly nowhere: string;
  /** Lets what is under way arrive. */
  settle(): Promise<void>;
}

const bytesOf = (...values: number[]): Uint8Array => Uint8Array.from(values);

/** Resolves once it holds; rejects after a deadline. */
async function until(kind: GossipTransportKind, holds: () => boolean): Promise<void> {
  const deadlineMs = Date.now() + 5_000;
  while (!holds()) {
    if (Date.now() > deadlineMs) throw new Error('it did not happen in time');
    await kind.settle();
  }
}

async function codeOfFailure(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'none';
  } catch (error) {
    return codeOf(error) ?? String(error);
  }
}

/** What every gossip transport promises. */
export function describeGossipTransport(kind: GossipTransportKind): void {
  describe(`gossip sockets: ${kind.name}`, () => {
    let open: GossipSockets[] = [];

    const start = async (handlers: Partial<GossipSocketsInit> = {}): Promise<GossipSockets> => {
      const sockets = kind.make(handlers);
      await sockets.start();
      open.push(sockets);
      return sockets;
    };

    afterEach(async () => {
      for (const sockets of open) await sockets.stop();
      open = [];
    });

    it('send() brings a datagram with the address to answer to', async () => {
      const heard: { from: string; bytes: Uint8Array }[] = [];
      const a = await start();
      const b = await start({ onDatagram: (from, bytes) => heard.push({ from, bytes }) });
      a.send(b.address(), bytesOf(1, 2, 3));
      await until(kind, () => heard.length > 0);
      expect(heard[0]?.from).to.equal(a.address());
      expect([...(heard[0]?.bytes ?? [])]).to.deep.equal([1, 2, 3]);
    });

    it('send() to nobody or after stop() throws nothing', async () => {
      const a = await start();
      a.send(kind.nowhere, bytesOf(1));
      a.send('no address', bytesOf(1));
      await a.stop();
      a.send(kind.nowhere, bytesOf(1));
      await kind.settle();
    });

    it('exchange() brings the request and its response', async () => {
      const a = await start();
      const b = await start({ onExchange: (_from, bytes) => bytesOf(...bytes, 9) });
      const response = await a.exchange(b.address(), bytesOf(7, 8), 2_000);
      expect([...response]).to.deep.equal([7, 8, 9]);
    });

    it('exchange() carries a megabyte each way', async () => {
      const big = new Uint8Array(1024 * 1024).map((_, index) => index % 251);
      const a = await start();
      const b = await start({ onExchange: (_from, bytes) => bytes.toReversed() });
      const response = await a.exchange(b.address(), big, 5_000);
      expect(Buffer.compare(response, big.toReversed())).to.equal(0);
    });

    it('exchange() rejects with UNREACHABLE when it is refused', async () => {
      const a = await start();
      const b = await start({ onExchange: () => null });
      expect(await codeOfFailure(a.exchange(b.address(), bytesOf(1), 2_000))).to.equal(
        'UNREACHABLE',
      );
    });

    it('exchange() rejects with UNREACHABLE when nothing listens there', async () => {
      const a = await start();
      expect(await codeOfFailure(a.exchange(kind.nowhere, bytesOf(1), 2_000))).to.equal(
        'UNREACHABLE',
      );
    });

    it('stop() ends exchanges under way and may be called twice', async () => {
      const a = await start();
      const pending = codeOfFailure(a.exchange(kind.nowhere, bytesOf(1), 60_000));
      await a.stop();
      await a.stop();
      expect(await pending).to.equal('UNREACHABLE');
    });

    it('start() on an address in use throws CONFIG_INVALID that names it', async () => {
      const a = await start();
      const b = kind.makeOn(a.address());
      const failure: unknown = await b.start().catch((error: unknown) => error);
      expect(codeOf(failure)).to.equal('CONFIG_INVALID');
      expect(String(failure)).to.contain(a.address()).and.to.contain('already in use');
    });
  });
}
