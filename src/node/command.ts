import type { ClientRequest } from '../http/index.ts';
import type { Envelope, Operation } from '../store/index.ts';
import { defaultKeyspace } from '../store/index.ts';

/** An unconditional command; of a client's session, once however often it is repeated. */
export const commandOf = (then: readonly Operation[], client?: ClientRequest): Envelope => ({
  minVersion: 1,
  keyspace: defaultKeyspace,
  principal: '',
  session: client?.clientId ?? '',
  sequence: client?.requestId ?? 0,
  compare: [],
  then,
  else: [],
});
