import { replyJson, replyOk, replyText } from '../reply.ts';
import type { Readiness } from '../ports.ts';
import type { Route, RouteParts } from '../route.ts';

/** For machines that look after the node: `/livez`, `/readyz`, `/metrics`, `/version`. */
export function probeRoutes({ api, metrics, version }: RouteParts): readonly Route[] {
  return [
    { name: '/livez', changes: false, handle: ({ response }) => replyOk(response) },
    {
      name: '/readyz',
      changes: false,
      handle: ({ response }) => {
        const readiness = api.cluster.readiness();
        replyText(response, readiness.ready ? 200 : 503, readinessText(readiness));
      },
    },
    {
      name: '/metrics',
      changes: false,
      handle: async ({ response }) => {
        const page = Buffer.from(await metrics.render());
        response.writeHead(200, [
          'Content-Type',
          metrics.contentType,
          'Content-Length',
          String(page.length),
        ]);
        response.end(page);
      },
    },
    {
      name: '/version',
      changes: false,
      handle: ({ response }) => replyJson(response, { version }),
    },
  ];
}

/** `ok` or the problems, then the warnings, one line each. */
function readinessText({ ready, problems, warnings }: Readiness): string {
  const verdict = ready ? ['ok'] : ['not ready', ...problems.map((line) => `problem: ${line}`)];
  return [...verdict, ...warnings.map((line) => `warning: ${line}`)].join('\n');
}
