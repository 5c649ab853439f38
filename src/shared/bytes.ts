/** Order of keys: byte by byte, shorter first. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && compareBytes(a, b) === 0;
}

const decoder = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true });

/** Short texts share their buffers: an encoder makes each its own, which takes three times as long. */
export function utf8(text: string): Uint8Array {
  const bytes = Buffer.from(text, 'utf8');
  // Not a Buffer, whose `slice` would share the bytes instead of copying them.
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}
export const fromUtf8 = (bytes: Uint8Array): string => decoder.decode(bytes);
