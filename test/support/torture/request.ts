import { request as httpRequest } from 'node:http';
import type { Agent } from 'node:http';

/**
 * What became of a request: it was done; it was surely not done, as a node said so (refused) or none
 * was reached (unreachable); or nobody knows.
 */
export type Outcome = 'ok' | 'refused' | 'unreachable' | 'unknown';

export interface Told {
  readonly outcome: Outcome;
  readonly status: number;
  readonly text: string;
}

/** Answers that promise that nothing was changed and nothing will be. */
const refusals = new Set([400, 403, 404, 409, 413, 503, 507]);
/** The request cannot have left. */
const neverSent = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH']);

export interface Call {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly agent: Agent;
  readonly timeoutMs: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Never rejects. */
export function tell({ url, method, agent, timeoutMs, headers = {} }: Call): Promise<Told> {
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const failed = (error: Error): void => {
      const code = 'code' in error ? String(error.code) : '';
      const outcome = neverSent.has(code) ? 'unreachable' : 'unknown';
      resolve({ outcome, status: 0, text: error.message });
    };
    const request = httpRequest(url, { method, agent, signal, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', failed);
      response.on('end', () => {
        const status = response.statusCode ?? 0;
        const text = Buffer.concat(chunks).toString('utf8');
        resolve({ outcome: outcomeOf(status), status, text });
      });
    });
    request.on('error', failed);
    request.end();
  });
}

function outcomeOf(status: number): Outcome {
  if (status === 200) return 'ok';
  return refusals.has(status) ? 'refused' : 'unknown';
}
