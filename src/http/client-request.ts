import type { IncomingHttpHeaders } from 'node:http';
import type { ClientRequest } from './ports.ts';
import { paramError } from './refusal.ts';

const idHeader = 'x-client-id';
const numberHeader = 'x-request-id';

/**
 * The session that `X-Client-Id` and `X-Request-Id` name, as an option of a write. Throws 400. A
 * request id alone is none of ours: many proxies put one on everything that passes.
 */
export function clientOf(headers: IncomingHttpHeaders): { readonly client?: ClientRequest } {
  const clientId = headers[idHeader];
  const number = headers[numberHeader];
  if (clientId === undefined) return {};
  if (number === undefined) throw paramError('X-Client-Id is given without X-Request-Id');
  if (!/^[\x21-\x7e]{1,64}$/.test(String(clientId))) {
    throw paramError('X-Client-Id must be 1 to 64 visible ASCII characters');
  }
  const requestId = /^\d{1,16}$/.test(String(number)) ? Number(number) : 0;
  if (requestId < 1 || !Number.isSafeInteger(requestId)) {
    throw paramError('X-Request-Id must be a whole number from 1 to 9007199254740991');
  }
  return { client: { clientId: String(clientId), requestId } };
}
