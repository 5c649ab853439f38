import type { Random } from '../../../src/shared/index.ts';
import { utf8 } from '../../../src/shared/index.ts';
import type { Compare, Envelope, Operation } from '../../../src/store/index.ts';
import { defaultKeyspace } from '../../../src/store/index.ts';
import type { History } from './history.ts';
import { anyOf, happens } from './world.ts';

const KEYS = 10;
/** More than two blocks of the log. */
const LONG_VALUE_BYTES = 9_000;
/** Few, so that clients meet. */
export const keys = Array.from({ length: KEYS }, (_, i) => `k${i}`);

/** What clients ask for. */
export class Requests {
  readonly #random: Random;
  readonly #history: History;

  constructor(random: Random, history: History) {
    this.#random = random;
    this.#history = history;
  }

  /** A put, a delete, both at once, or a put on a condition; of keys that all clients share. */
  any(session: string): Envelope {
    const key = utf8(anyOf(this.#random, keys) ?? '');
    const kind = this.#random.intBelow(100);
    if (kind < 55) return envelopeOf(session, { then: [this.#put(key, session)] });
    if (kind < 65) return envelopeOf(session, { then: [{ kind: 'delete', key }] });
    if (kind < 75) {
      const other = utf8(anyOf(this.#random, keys) ?? '');
      return envelopeOf(session, {
        then: [this.#put(key, session), { kind: 'delete', key: other }],
      });
    }
    const compare = [this.#compare(key)];
    const instead = happens(this.#random, 300) ? [this.#put(key, `${session}-else`)] : [];
    return envelopeOf(session, { compare, then: [this.#put(key, session)], else: instead });
  }

  /** To a key of its own. */
  aside(session: string, extraBytes = this.#random.intBelow(150)): Envelope {
    const put = this.#put(utf8(`aside ${session}`), session, extraBytes);
    return envelopeOf(session, { then: [put] });
  }

  /** To a key of its own; it takes several blocks of the log. */
  long(session: string): Envelope {
    return this.aside(session, LONG_VALUE_BYTES);
  }

  #compare(key: Uint8Array): Compare {
    const target = anyOf(this.#random, ['modRevision', 'version', 'createRevision'] as const);
    const relation = anyOf(this.#random, ['equal', 'less', 'greater', 'notEqual'] as const);
    const about = target === 'version' ? 4 : this.#history.knownRevision;
    const number = happens(this.#random, 300) ? 0 : Math.max(0, about - this.#random.intBelow(4));
    return {
      key,
      target: target ?? 'version',
      relation: relation ?? 'equal',
      number,
      bytes: new Uint8Array(0),
    };
  }

  /** Some values are the same again, some are long, some are mostly zeros. */
  #put(key: Uint8Array, text: string, extraBytes = this.#extraBytes()): Operation {
    if (happens(this.#random, 100)) return { kind: 'put', key, value: utf8('same') };
    const value = new Uint8Array(text.length + extraBytes);
    value.set(utf8(text));
    if (happens(this.#random, 500)) value.fill(0x61, text.length);
    return { kind: 'put', key, value };
  }

  /** Most records of the log fill one block, some several. */
  #extraBytes(): number {
    if (happens(this.#random, 20)) return LONG_VALUE_BYTES;
    return happens(this.#random, 50) ? 1_500 : this.#random.intBelow(150);
  }
}

export const envelopeOf = (
  session: string,
  parts: Partial<Pick<Envelope, 'compare' | 'then' | 'else'>>,
): Envelope => ({
  minVersion: 1,
  keyspace: defaultKeyspace,
  principal: 'simulator',
  session,
  sequence: 0,
  compare: [],
  then: [],
  else: [],
  ...parts,
});

/** One line for the trace. */
export function textOf({ compare, then, else: otherwise }: Envelope): string {
  const operations = (all: readonly Operation[]): string =>
    all.map((one) => `${one.kind} ${'key' in one ? Buffer.from(one.key).toString() : ''}`).join();
  const conditions = compare.map((one) => `${one.target} ${one.relation} ${one.number}`).join();
  return `${conditions === '' ? '' : `if ${conditions}: `}${operations(then)} / ${operations(otherwise)}`;
}
