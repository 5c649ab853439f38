import { Agent, request } from 'node:http';

export interface Filling {
  /** host:port */
  readonly http: string;
  readonly keys: number;
  readonly keyBytes: number;
  readonly valueBytes: number;
  readonly onProgress: (done: number) => void;
}

const inFlight = 128;
const attemptsMax = 20;
const progressEvery = 100_000;

/** Sets so many keys of this size, many at a time; throws when one cannot be set. */
export async function fill(filling: Filling): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: inFlight });
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < filling.keys) {
      const i = next++;
      await setKey(filling, agent, i);
      if ((i + 1) % progressEvery === 0) filling.onProgress(i + 1);
    }
  };
  try {
    await Promise.all(Array.from({ length: inFlight }, worker));
  } finally {
    agent.destroy();
  }
}

async function setKey({ http, keyBytes, valueBytes }: Filling, agent: Agent, i: number) {
  const key = String(i).padStart(keyBytes, '0');
  const body = `key=${key}&value=${String(i).padEnd(valueBytes, 'v')}`;
  let found = '';
  for (let attempt = 1; attempt <= attemptsMax; attempt++) {
    found = await post(http, agent, body);
    if (found === '200 ok\n') return;
  }
  throw new Error(`Cannot set key ${i} at ${http}: ${found}`);
}

/** Status and body, or the error. */
function post(http: string, agent: Agent, body: string): Promise<string> {
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    'content-length': body.length,
  };
  return new Promise((resolve) => {
    const asked = request(`http://${http}/set`, { method: 'POST', agent, headers }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve(`${response.statusCode ?? 0} ${text}`));
      response.on('error', (error) => resolve(error.message));
    });
    asked.on('error', (error) => resolve(error.message));
    asked.end(body);
  });
}
