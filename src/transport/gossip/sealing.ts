import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';
import { QuorateError } from '../../shared/index.ts';
import { ReplayWindow } from './replay-window.ts';

/** Makes bytes unreadable and unforgeable for those without a key. */
export interface Sealing {
  seal(bytes: Uint8Array): Uint8Array;
  /** Null for what was forged, repeated or sealed with another key. */
  open(sealed: Uint8Array): Uint8Array | null;
}

export const plainSealing: Sealing = { seal: (bytes) => bytes, open: (bytes) => bytes };

const FORMAT = 0x51;
const SESSION_BYTES = 8;
const COUNTER_BYTES = 6;
const HEAD_BYTES = 2 + SESSION_BYTES + COUNTER_BYTES;
const TAG_BYTES = 16;
/** What sealing adds to a message. */
const SEALING_BYTES = HEAD_BYTES + TAG_BYTES;
/** Above it the session that was heard longest ago is forgotten. */
const SESSIONS_MAX = 4_096;

interface Key {
  readonly bytes: Uint8Array;
  /** Tells keys apart without trying all. */
  readonly hint: number;
}

interface Session {
  readonly subkey: Uint8Array;
  readonly window: ReplayWindow;
}

/**
 * AES-256-GCM with a subkey per key and process start, so a counter makes nonces that never
 * repeat. Layout: format, key hint, session (8), counter (6), ciphertext, tag (16); all before the
 * ciphertext is authenticated too. The first key seals, all open: keys can be changed one node at
 * a time.
 */
export class AeadSealing implements Sealing {
  readonly #keys: readonly Key[];
  readonly #session = randomBytes(SESSION_BYTES);
  readonly #ownSubkey: Uint8Array;
  readonly #sessions = new Map<string, Session>();
  #counter = 0;

  /** At least one key. */
  constructor(keys: readonly Uint8Array[]) {
    this.#keys = keys.map((bytes) => ({ bytes, hint: hintOf(bytes) }));
    this.#ownSubkey = subkeyOf(this.#sealingKey, this.#session);
  }

  get #sealingKey(): Key {
    const [first] = this.#keys;
    if (!first)
      throw new QuorateError('CONFIG_INVALID', 'Cannot seal gossip as a key must be given');
    return first;
  }

  seal(bytes: Uint8Array): Uint8Array {
    const head = Buffer.alloc(HEAD_BYTES);
    head[0] = FORMAT;
    head[1] = this.#sealingKey.hint;
    this.#session.copy(head, 2);
    head.writeUIntBE(++this.#counter, 2 + SESSION_BYTES, COUNTER_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#ownSubkey, nonceOf(head)).setAAD(head);
    return Buffer.concat([head, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
  }

  open(sealed: Uint8Array): Uint8Array | null {
    if (sealed.length < SEALING_BYTES || sealed[0] !== FORMAT) return null;
    const input = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.length);
    for (const [index, key] of this.#keys.entries()) {
      if (key.hint !== input[1]) continue;
      const opened = this.#openWith(input, key, index);
      if (opened) return opened;
    }
    return null;
  }

  #openWith(input: Buffer, key: Key, index: number): Uint8Array | null {
    const id = `${index} ${input.toString('latin1', 2, 2 + SESSION_BYTES)}`;
    const known = this.#sessions.get(id);
    const counter = input.readUIntBE(2 + SESSION_BYTES, COUNTER_BYTES);
    if (known?.window.isUsed(counter)) return null;
    const subkey = known?.subkey ?? subkeyOf(key, input.subarray(2, 2 + SESSION_BYTES));
    const bytes = decrypt(input, subkey);
    if (!bytes) return null;
    const session = known ?? { subkey, window: new ReplayWindow() };
    session.window.use(counter);
    this.#remember(id, session);
    return bytes;
  }

  /** Only sessions that proved to know a key take room. */
  #remember(id: string, session: Session): void {
    this.#sessions.delete(id);
    this.#sessions.set(id, session);
    const oldest = this.#sessions.keys().next();
    if (this.#sessions.size > SESSIONS_MAX && !oldest.done) this.#sessions.delete(oldest.value);
  }
}

/** One base64 key a line, blank lines and # comments aside; throws CONFIG_INVALID, naming the line. */
export function parseGossipKeys(text: string): Uint8Array[] {
  const keys: Uint8Array[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const word = line.trim();
    if (word === '' || word.startsWith('#')) continue;
    const bytes = Buffer.from(word, 'base64');
    if (![16, 24, 32].includes(bytes.length) || !/^[A-Za-z0-9+/_-]+={0,2}$/.test(word))
      throw new QuorateError(
        'CONFIG_INVALID',
        `Cannot read gossip keys: line ${index + 1} is not base64 of 16, 24 or 32 bytes`,
      );
    keys.push(bytes);
  }
  if (keys.length === 0)
    throw new QuorateError('CONFIG_INVALID', 'Cannot read gossip keys: found none');
  return keys;
}

const hintOf = (key: Uint8Array): number =>
  createHash('sha256').update('quorate gossip hint').update(key).digest()[0] ?? 0;

const subkeyOf = (key: Key, session: Uint8Array): Uint8Array =>
  new Uint8Array(hkdfSync('sha256', key.bytes, session, 'quorate gossip', 32));

function nonceOf(head: Buffer): Buffer {
  const nonce = Buffer.alloc(12);
  head.copy(nonce, 12 - COUNTER_BYTES, 2 + SESSION_BYTES, HEAD_BYTES);
  return nonce;
}

function decrypt(input: Buffer, subkey: Uint8Array): Uint8Array | null {
  const head = input.subarray(0, HEAD_BYTES);
  const tagAt = input.length - TAG_BYTES;
  const decipher = createDecipheriv('aes-256-gcm', subkey, nonceOf(head), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(head).setAuthTag(input.subarray(tagAt));
  const bytes = decipher.update(input.subarray(HEAD_BYTES, tagAt));
  try {
    decipher.final();
    return bytes;
  } catch {
    return null;
  }
}
