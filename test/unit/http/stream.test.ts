import { expect } from 'chai';
import type { Pair } from '../../../src/http/index.ts';
import { utf8 } from '../../../src/shared/index.ts';
import { ask, rawClient, startHarness, until } from './harness.ts';
import type { Harness } from './harness.ts';

const valueBytes = 10_000;
const perBatch = 50;

/** Batches of 50 pairs of 10 kB that count how far they were read. */
class Source {
  batchesRead = 0;
  isReturned = false;
  readonly #batches: number;
  readonly #failAt: number;

  constructor(batches: number, failAt = Infinity) {
    this.#batches = batches;
    this.#failAt = failAt;
  }

  async *pairs(): AsyncGenerator<readonly Pair[]> {
    try {
      for (; this.batchesRead < this.#batches; this.batchesRead++) {
        await Promise.resolve();
        if (this.batchesRead === this.#failAt) throw new Error('disk');
        yield Array.from({ length: perBatch }, (_, i) => this.#pair(this.batchesRead, i));
      }
    } finally {
      this.isReturned = true;
    }
  }

  #pair(batch: number, index: number): Pair {
    const key = `${String(batch).padStart(6, '0')}-${String(index).padStart(3, '0')}`;
    return [utf8(key), utf8('"'.repeat(valueBytes))];
  }
}

describe('http /status, streamed', () => {
  let it_: Harness;
  const request = 'GET /status HTTP/1.1\r\nHost: x\r\n\r\n';

  const serve = (source: Source): void => void (it_.override.store.pairs = () => source.pairs());
  /** Asks for everything and does not read it; resolves when the source has come to rest. */
  const stuckClient = async (source: Source) => {
    const client = rawClient(it_.address);
    client.socket.pause();
    client.socket.write(request);
    await until(() => source.batchesRead > 0);
    return client;
  };

  beforeEach(async () => {
    it_ = await startHarness({ streamsMax: 2 });
  });
  afterEach(() => it_.server.stop(0));

  it('is valid JSON without a length, whatever the size', async () => {
    serve(new Source(20));
    const answer = await ask(it_.address, '/status');
    const pairs = JSON.parse(answer.body) as Record<string, string>;
    expect(Object.keys(pairs)).to.have.length(20 * perBatch);
    expect(Object.keys(pairs)).to.deep.equal(Object.keys(pairs).sort());
    expect(pairs['000019-049']).to.equal('"'.repeat(valueBytes));
    expect(answer.headers['content-length']).to.equal(undefined);
    expect(answer.body.endsWith('}\n')).to.equal(true);
  });

  it('reads no further than the client does', async () => {
    const source = new Source(1_000_000);
    serve(source);
    const client = await stuckClient(source);
    let seen = -1;
    while (seen !== source.batchesRead) {
      seen = source.batchesRead;
      for (let turn = 0; turn < 20; turn++) await ask(it_.address, '/livez');
    }
    // 1 MB each: what the kernel's socket buffers hold, and a chunk of our own.
    expect(source.batchesRead).to.be.lessThan(40);
    client.socket.resume();
    await until(() => source.batchesRead > seen + 5);
    client.socket.destroy();
    await until(() => source.isReturned);
  });

  it('gives up a source when its client leaves', async () => {
    const source = new Source(1_000_000);
    serve(source);
    const client = await stuckClient(source);
    client.socket.destroy();
    await until(() => source.isReturned);
    await until(() => it_.logs.some(({ message }) => message.includes('cut off')));
    expect(it_.logs.filter(({ level }) => level === 'error')).to.deep.equal([]);
  });

  it('cuts off a client that takes nothing for too long', async () => {
    await it_.server.stop(0);
    it_ = await startHarness({ stallTimeoutMs: 50 });
    const source = new Source(1_000_000);
    serve(source);
    const client = await stuckClient(source);
    await until(() => source.isReturned);
    client.socket.resume();
    expect(await client.closed()).not.to.match(/\r\n0\r\n\r\n$/);
  });

  it('is cut off, not ended, when the source fails half-way', async () => {
    serve(new Source(20, 10));
    const client = rawClient(it_.address);
    client.socket.write(request);
    const text = await client.closed();
    expect(text).to.match(/^HTTP\/1.1 200 /);
    expect(text).not.to.match(/\r\n0\r\n\r\n$/);
    expect(it_.logs.map(({ level }) => level)).to.contain('error');
  });

  it('answers 503 above streamsMax and takes more when one has ended', async () => {
    const source = new Source(1_000_000);
    serve(source);
    const clients = [await stuckClient(source)];
    const second = new Source(1_000_000);
    serve(second);
    clients.push(await stuckClient(second));
    serve(new Source(1));
    const refused = await ask(it_.address, '/status');
    expect([refused.status, refused.body]).to.deep.equal([503, 'overloaded\n']);
    for (const { socket } of clients) socket.destroy();
    await until(() => source.isReturned && second.isReturned);
    expect((await ask(it_.address, '/status')).status).to.equal(200);
  });

  it('reads nothing for HEAD beyond what the headers need', async () => {
    const source = new Source(1000);
    serve(source);
    const answer = await ask(it_.address, '/status', { method: 'HEAD' });
    expect([answer.status, answer.body]).to.deep.equal([200, '']);
    await until(() => source.isReturned);
    expect(source.batchesRead).to.be.lessThan(3);
  });
});
