import { asRevision } from '../../shared/index.ts';
import type { Revision } from '../../shared/index.ts';
import { limitOf } from '../arguments.ts';
import { pathArgument } from '../exchange.ts';
import { jsonArray } from '../json-stream.ts';
import { paramError, RefusedRequest } from '../refusal.ts';
import { replyJson } from '../reply.ts';
import type { Route, RouteParts } from '../route.ts';

const eventsPerAnswer = { standard: 100, max: 1000 };

/** `/events?key=&limit=` and `/events/{id}`. */
export function eventRoutes({ api, params: reader, streams }: RouteParts): readonly Route[] {
  return [
    {
      name: '/events',
      changes: false,
      handle: async (exchange) => {
        const params = await reader.read(exchange);
        const query = {
          key: params.get('key') ?? '',
          limit: limitOf(params, eventsPerAnswer.standard, eventsPerAnswer.max),
        };
        await streams.reply(exchange.response, jsonArray(api.watch.events(query)));
      },
    },
    {
      name: '/events/{id}',
      changes: false,
      handle: (exchange) => {
        const id = eventId(pathArgument(exchange, '/events/'.length));
        const event = api.watch.event(id);
        if (!event) throw eventNotFound(id);
        replyJson(exchange.response, event);
      },
    },
  ];
}

function eventId(text: string): Revision {
  if (!/^\d{1,15}$/.test(text)) throw paramError('the id of an event must be a whole number');
  return asRevision(Number(text));
}

function eventNotFound(id: number): RefusedRequest {
  const text = `event ${id} not found`;
  return new RefusedRequest({ status: 404, text, reason: `NOT_FOUND: ${text}` });
}
