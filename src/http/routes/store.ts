import { randomUUID } from 'node:crypto';
import {
  checkSize,
  consistencyOf,
  keyQueryOf,
  requiredText,
  switchOf,
  timeoutMsOf,
} from '../arguments.ts';
import { clientOf } from '../client-request.ts';
import type { Exchange } from '../exchange.ts';
import { jsonArray } from '../json-stream.ts';
import { headerText, replyBytes, replyOk, replyText } from '../reply.ts';
import type { Route, RouteParts } from '../route.ts';

const newline = 0x0a;

/** `/set`, `/get` and `/del`: the hot path. */
export function storeRoutes(parts: RouteParts): readonly Route[] {
  return [
    { name: '/set', changes: true, handle: (exchange) => set(parts, exchange) },
    { name: '/get', changes: false, handle: (exchange) => get(parts, exchange) },
    { name: '/del', changes: true, handle: (exchange) => del(parts, exchange) },
  ];
}

/** `/keys?prefix=&limit=&after=`: this node's keys without their values. */
export function keysRoute(parts: RouteParts): Route {
  return {
    name: '/keys',
    changes: false,
    handle: async (exchange) => {
      const query = keyQueryOf(await parts.params.read(exchange));
      await parts.streams.reply(exchange.response, jsonArray(parts.api.store.keys(query)));
    },
  };
}

/** `/sessions`: an id for a client session that nobody has used; its request 1 begins it. */
export const sessionsRoute: Route = {
  name: '/sessions',
  changes: false,
  handle: ({ response }) => replyText(response, 200, randomUUID()),
};

async function set({ api, limits, params: reader }: RouteParts, exchange: Exchange): Promise<void> {
  const params = await reader.read(exchange);
  const key = requiredText(params, 'key');
  const value = requiredText(params, 'value');
  const timeoutMs = timeoutMsOf(params, limits);
  checkSize('key', key, limits.keyBytesMax);
  checkSize('value', value, limits.valueBytesMax);
  await api.store.set(key, value, { timeoutMs, ...clientOf(exchange.request.headers) });
  replyOk(exchange.response);
}

async function del({ api, limits, params: reader }: RouteParts, exchange: Exchange): Promise<void> {
  const params = await reader.read(exchange);
  const key = requiredText(params, 'key');
  const timeoutMs = timeoutMsOf(params, limits);
  checkSize('key', key, limits.keyBytesMax);
  await api.store.del(key, { timeoutMs, ...clientOf(exchange.request.headers) });
  replyOk(exchange.response);
}

async function get({ api, limits, params: reader }: RouteParts, exchange: Exchange): Promise<void> {
  const params = await reader.read(exchange);
  const key = requiredText(params, 'key');
  const consistency = consistencyOf(params);
  const raw = switchOf(params, 'raw');
  const timeoutMs = timeoutMsOf(params, limits);
  const value = await api.store.get(key, { consistency, timeoutMs });
  if (value === null) replyAbsent(exchange, key);
  else replyBytes(exchange.response, 200, raw ? value : withNewline(value));
}

function withNewline(value: Uint8Array): Uint8Array {
  const line = Buffer.allocUnsafe(value.length + 1);
  line.set(value);
  line[value.length] = newline;
  return line;
}

/** A bare newline, so that what a script reads is the empty value and not an explanation. */
function replyAbsent({ response }: Exchange, key: string): void {
  const reason = headerText(`KEY_NOT_FOUND: key ${key} not found`);
  replyBytes(response, 404, Uint8Array.of(newline), ['X-Quorate-Error', reason]);
}
