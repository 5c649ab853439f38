import type { ServerResponse } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { QuorateError } from '../shared/index.ts';
import type { HttpLimits } from './limits.ts';
import { jsonHeaders } from './reply.ts';

const chunkChars = 64 * 1024;

/** The client left, or did not take what was sent in time. Nobody is there to be told. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone';
}

/** `{"key":json,...}` and a newline, in chunks of about 64 KiB; `members` are JSON texts by key. */
export async function* jsonObject(
  members: AsyncIterable<readonly [string, string]> | Iterable<readonly [string, string]>,
): AsyncGenerator<string> {
  yield* inChunks(separated('{', namedMembers(members), '}\n'));
}

/** `[json,...]` and a newline, in chunks of about 64 KiB. */
export async function* jsonArray(items: Iterable<unknown>): AsyncGenerator<string> {
  yield* inChunks(separated('[', texts(items), ']\n'));
}

async function* namedMembers(
  members: AsyncIterable<readonly [string, string]> | Iterable<readonly [string, string]>,
): AsyncGenerator<string> {
  for await (const [key, json] of members) yield `${JSON.stringify(key)}:${json}`;
}

function* texts(items: Iterable<unknown>): Generator<string> {
  for (const item of items) yield JSON.stringify(item);
}

async function* separated(
  open: string,
  items: AsyncIterable<string> | Iterable<string>,
  close: string,
): AsyncGenerator<string> {
  let before = open;
  for await (const item of items) {
    yield before + item;
    before = ',';
  }
  yield before === open ? open + close : close;
}

async function* inChunks(pieces: AsyncIterable<string>): AsyncGenerator<string> {
  let chunk = '';
  for await (const piece of pieces) {
    chunk += piece;
    if (chunk.length < chunkChars) continue;
    yield chunk;
    chunk = '';
  }
  if (chunk !== '') yield chunk;
}

type StreamLimits = Pick<HttpLimits, 'streamsMax' | 'stallTimeoutMs'>;

/**
 * Writes long JSON answers at the client's pace. At most one chunk per answer waits in memory, and
 * at most `streamsMax` answers are under way.
 */
export class JsonStreams {
  readonly #limits: StreamLimits;
  #active = 0;

  constructor(limits: StreamLimits) {
    this.#limits = limits;
  }

  /**
   * Answers 200 with `chunks`, with a Content-Length when there is only one. An error before the
   * first chunk rejects with nothing sent; a later one leaves the answer cut off, which clients
   * see. Rejects with OVERLOADED, ClientGone or what `chunks` throws.
   */
  async reply(response: ServerResponse, chunks: AsyncGenerator<string>): Promise<void> {
    this.#enter();
    try {
      await this.#write(response, chunks);
    } finally {
      this.#active--;
      await chunks.return(undefined);
    }
  }

  async #write(response: ServerResponse, chunks: AsyncGenerator<string>): Promise<void> {
    const first = await nextChunk(chunks);
    let chunk = await nextChunk(chunks);
    if (chunk === undefined) {
      const length = String(Buffer.byteLength(first ?? ''));
      response.writeHead(200, [...jsonHeaders, 'Content-Length', length]);
      response.end(first);
      return;
    }
    response.writeHead(200, [...jsonHeaders]);
    if (response.req.method === 'HEAD') {
      response.end();
      return;
    }
    await this.#send(response, first ?? '');
    for (; chunk !== undefined; chunk = await nextChunk(chunks)) await this.#send(response, chunk);
    response.end();
  }

  /** Gives other work a turn after each chunk: a fast reader must not keep heartbeats waiting. */
  async #send(response: ServerResponse, chunk: string): Promise<void> {
    if (response.destroyed) throw new ClientGone('The client closed the connection');
    if (response.write(chunk)) await nextTurn();
    else await drained(response, this.#limits.stallTimeoutMs);
  }

  #enter(): void {
    const { streamsMax } = this.#limits;
    if (this.#active >= streamsMax) {
      throw new QuorateError(
        'OVERLOADED',
        `Cannot stream the answer as at most ${streamsMax} may be under way: found ${this.#active}`,
      );
    }
    this.#active++;
  }
}

async function nextChunk(chunks: AsyncGenerator<string>): Promise<string | undefined> {
  const next = await chunks.next();
  return next.done === true ? undefined : next.value;
}

/** Resolves when the client took what was written; cuts it off when it does not in time. */
function drained(response: ServerResponse, stallTimeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => settle(new ClientGone(`The client took nothing for ${stallTimeoutMs} ms`)),
      stallTimeoutMs,
    );
    const onDrain = (): void => settle();
    const onClose = (): void => settle(new ClientGone('The client closed the connection'));
    const settle = (error?: Error): void => {
      clearTimeout(timer);
      response.off('drain', onDrain);
      response.off('close', onClose);
      if (error) reject(error);
      else resolve();
    };
    response.on('drain', onDrain);
    response.on('close', onClose);
  });
}
