import { fromUtf8, utf8 } from '../shared/index.ts';

/**
 * Keys in memory are strings with one character (0-255) per byte: they sort like the bytes, hash
 * and compare natively, and take a fifth of the memory of a Uint8Array.
 */
export type BinaryKey = string;

export function binaryOf(bytes: Uint8Array): BinaryKey {
  if (bytes.length > 24 && isAscii(bytes)) return fromUtf8(bytes);
  // One call with many arguments: concatenating would leave a rope that keeps its pieces.
  return String.fromCharCode.apply(null, bytes as unknown as number[]);
}

export function bytesOf(key: BinaryKey): Uint8Array {
  const bytes = new Uint8Array(key.length);
  for (let i = 0; i < key.length; i++) bytes[i] = key.charCodeAt(i);
  return bytes;
}

/** The binary key of a text: of its UTF-8 bytes. */
export const binaryOfText = (text: string): BinaryKey =>
  isAsciiText(text) ? text : binaryOf(utf8(text));

/** The text of a binary key; bytes that are no UTF-8 become U+FFFD. */
export const textOf = (key: BinaryKey): string => (isAsciiText(key) ? key : fromUtf8(bytesOf(key)));

/** The longest prefix of whole characters that takes at most `bytesMax` bytes of UTF-8. */
export function cutText(text: string, bytesMax: number): string {
  if (text.length * 3 <= bytesMax) return text;
  const bytes = utf8(text);
  if (bytes.length <= bytesMax) return text;
  let end = bytesMax;
  while (end > 0 && ((bytes[end] as number) & 0xc0) === 0x80) end--;
  return fromUtf8(bytes.subarray(0, end));
}

function isAscii(bytes: Uint8Array): boolean {
  let bits = 0;
  for (let i = 0; i < bytes.length; i++) bits |= bytes[i] as number;
  return bits < 0x80;
}

function isAsciiText(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) >= 0x80) return false;
  return true;
}
