// autocannon.mjs URL CONNECTIONS SECONDS FILE: as wrk.lua, where there is no wrk. Latencies are
// whole milliseconds.
import { readFileSync } from 'node:fs';
import autocannon from 'autocannon';

const [url, connections, duration, file] = process.argv.slice(2);
const requests = JSON.parse(readFileSync(file, 'utf8')).map(({ body, ...one }) =>
  body === '' ? one : { ...one, body },
);
const result = await autocannon({
  url,
  connections: Number(connections),
  duration: Number(duration),
  requests,
});
const { latency, errors, non2xx, duration: seconds } = result;
console.log(
  JSON.stringify({
    perSecond: result.requests.total / seconds,
    p50Ms: latency.p50,
    p99Ms: latency.p99,
    failures: errors + non2xx,
  }),
);
