import { QuorateError } from '../../shared/index.ts';
import { BODY_BYTES_MAX, METHOD_BYTES_MAX } from './limits.ts';

/** Throws what the other side would not take: TOO_LARGE, PARAM_INVALID. */
export function checkCall(method: string, body: Uint8Array): void {
  if (Buffer.byteLength(method) > METHOD_BYTES_MAX) {
    const message = `Cannot call '${method}' as a peer's method: it has more than ${METHOD_BYTES_MAX} bytes`;
    throw new QuorateError('PARAM_INVALID', message);
  }
  if (body.length > BODY_BYTES_MAX) {
    const found = `the body has ${body.length} bytes, more than ${BODY_BYTES_MAX}`;
    throw new QuorateError('TOO_LARGE', `Cannot call '${method}' as asked: ${found}`);
  }
}
