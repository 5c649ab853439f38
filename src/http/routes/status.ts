import { fromUtf8 } from '../../shared/index.ts';
import { storableText } from '../arguments.ts';
import { pathArgument } from '../exchange.ts';
import type { Exchange } from '../exchange.ts';
import { jsonObject } from '../json-stream.ts';
import { keyNotFound } from '../refusal.ts';
import type { Route, RouteParts } from '../route.ts';

/** `/status[/{key}]`: what this node has applied, as one JSON object in byte order of the keys. */
export function statusRoutes(parts: RouteParts): readonly Route[] {
  return [
    {
      name: '/status',
      changes: false,
      handle: ({ response }) => parts.streams.reply(response, jsonObject(pairs(parts))),
    },
    { name: '/status/{key}', changes: false, handle: (exchange) => statusOf(parts, exchange) },
  ];
}

/** The key that the path of `/name/{key}` names. Throws 400. */
export function keyInPath(exchange: Exchange, name: string): string {
  return storableText('key', pathArgument(exchange, name.length + 1));
}

async function* pairs({ api, limits }: RouteParts): AsyncGenerator<readonly [string, string]> {
  for await (const batch of api.store.pairs(limits.waitMsDefault)) {
    for (const [key, value] of batch) yield [fromUtf8(key), JSON.stringify(fromUtf8(value))];
  }
}

async function statusOf({ api, limits, streams }: RouteParts, exchange: Exchange): Promise<void> {
  const key = keyInPath(exchange, '/status');
  const timeoutMs = limits.waitMsDefault;
  const value = await api.store.get(key, { consistency: 'local', timeoutMs });
  if (value === null) throw keyNotFound(key);
  const member = [key, JSON.stringify(fromUtf8(value))] as const;
  await streams.reply(exchange.response, jsonObject([member]));
}
