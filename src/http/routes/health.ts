import { keyQueryOf } from '../arguments.ts';
import { jsonArray } from '../json-stream.ts';
import type { KeyHealthView } from '../ports.ts';
import { keyNotFound } from '../refusal.ts';
import { replyJson } from '../reply.ts';
import type { Route, RouteParts } from '../route.ts';
import { keyInPath } from './status.ts';

/** `/health?prefix=&limit=&after=` and `/health/{key}`: what is decided about keys, and why not. */
export function healthRoutes({ api, params: reader, streams }: RouteParts): readonly Route[] {
  return [
    {
      name: '/health',
      changes: false,
      handle: async (exchange) => {
        const query = keyQueryOf(await reader.read(exchange));
        const views = await api.watch.health(query);
        await streams.reply(exchange.response, jsonArray(shaped(views)));
      },
    },
    {
      name: '/health/{key}',
      changes: false,
      handle: async (exchange) => {
        const key = keyInPath(exchange, '/health');
        const view = await api.watch.healthOf(key);
        if (!view) throw keyNotFound(key);
        replyJson(exchange.response, shapeOf(view));
      },
    },
  ];
}

function* shaped(views: Iterable<KeyHealthView>): Generator {
  for (const view of views) yield shapeOf(view);
}

function shapeOf({ lastSample, ...view }: KeyHealthView): unknown {
  if (lastSample === null) return { ...view, lastSample };
  const { status, atMs, detail } = lastSample;
  return { ...view, lastSample: { status, at: new Date(atMs).toISOString(), detail } };
}
