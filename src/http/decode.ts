const needsDecoding = /[%\x80-\xff]/;
const nonAscii = /[\x80-\xff]/;
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Undoes percent-encoding once. `raw` holds one byte per character; bytes above 127, which clients
 * leave as they are in form bodies, are taken as they are.
 * Undefined when an escape is malformed or the bytes are not UTF-8.
 */
export function decodePercent(raw: string): string | undefined {
  if (!needsDecoding.test(raw)) return raw;
  try {
    return nonAscii.test(raw) ? decodeBytes(raw) : decodeURIComponent(raw);
  } catch {
    return undefined;
  }
}

/** As `decodePercent`, for application/x-www-form-urlencoded, where `+` stands for a space. */
export function decodeFormText(raw: string): string | undefined {
  return decodePercent(raw.includes('+') ? raw.replaceAll('+', ' ') : raw);
}

function decodeBytes(raw: string): string {
  const bytes = new Uint8Array(raw.length);
  let length = 0;
  for (let at = 0; at < raw.length; at++, length++) {
    const code = raw.charCodeAt(at);
    bytes[length] = code === 0x25 ? escapedByte(raw, at) : code;
    if (code === 0x25) at += 2;
  }
  return strictUtf8.decode(bytes.subarray(0, length));
}

function escapedByte(raw: string, at: number): number {
  const digits = raw.slice(at + 1, at + 3);
  if (!/^[0-9a-fA-F]{2}$/.test(digits)) throw new URIError('Malformed escape');
  return Number.parseInt(digits, 16);
}
