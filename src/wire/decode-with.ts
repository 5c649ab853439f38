import { QuorateError } from '../shared/index.ts';
import { ProtoReader } from './proto-reader.ts';

/**
 * Runs `read` over the whole of `bytes`. What does not fit, and any RangeError of `read` about what
 * it found, becomes QuorateError PARAM_INVALID naming `what`. Byte fields are views, not copies.
 */
export function decodeWith<T>(
  bytes: Uint8Array,
  what: string,
  read: (reader: ProtoReader) => T,
): T {
  const reader = new ProtoReader(bytes);
  try {
    const value = read(reader);
    if (!reader.failed) return value;
  } catch (cause) {
    // After a failure values are missing: what `read` says about them is no news.
    if (!reader.failed && !(cause instanceof RangeError)) throw cause;
    const found = reader.failed || !(cause instanceof Error) ? malformed : cause.message;
    throw cannotDecode(bytes, what, found);
  }
  throw cannotDecode(bytes, what, malformed);
}

const malformed = 'malformed or cut';

function cannotDecode(bytes: Uint8Array, what: string, found: string): QuorateError {
  return new QuorateError(
    'PARAM_INVALID',
    `Cannot decode ${bytes.length} bytes as ${what}: ${found}`,
  );
}
