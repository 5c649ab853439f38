import type { IncomingMessage, ServerResponse } from 'node:http';
import { decodePercent } from './decode.ts';
import { FormReader, hasBody } from './form.ts';
import type { HttpLimits } from './limits.ts';
import { parseParams } from './params.ts';
import type { Params } from './params.ts';
import { paramError } from './refusal.ts';

/** One request and the answer to it. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Undecoded, one byte per character. */
  readonly path: string;
  /** Undecoded, without the question mark. */
  readonly query: string;
}

/** Splits the request target; also the absolute form that proxies send. */
export function exchangeOf(request: IncomingMessage, response: ServerResponse): Exchange {
  let target = request.url ?? '/';
  if (!target.startsWith('/')) target = withoutOrigin(target);
  const mark = target.indexOf('?');
  if (mark < 0) return { request, response, path: target, query: '' };
  return { request, response, path: target.slice(0, mark), query: target.slice(mark + 1) };
}

function withoutOrigin(target: string): string {
  const slash = target.indexOf('/', target.indexOf('://') + 3);
  return slash < 0 ? '/' : target.slice(slash);
}

/** Finds the parameters of a request in its query and, when it has one, its form body. */
export class ParamReader {
  readonly #limits: HttpLimits;
  readonly #forms: FormReader;

  constructor(limits: HttpLimits) {
    this.#limits = limits;
    this.#forms = new FormReader(limits);
  }

  /** At once without a body. Throws 400, 413, 415 or OVERLOADED. */
  read(exchange: Exchange): Params | Promise<Params> {
    if (hasBody(exchange.request)) return this.#readWithForm(exchange);
    return parseParams([exchange.query], this.#limits.parametersMax);
  }

  async #readWithForm({ request, query }: Exchange): Promise<Params> {
    const form = await this.#forms.read(request);
    return parseParams([query, form], this.#limits.parametersMax);
  }
}

/** What follows the first `from` characters of the path, percent-decoded once. Throws 400. */
export function pathArgument(exchange: Exchange, from: number): string {
  const text = decodePercent(exchange.path.slice(from));
  if (text === undefined) throw paramError('the path is not percent-encoded UTF-8');
  return text;
}
