import type { Applied, Replica } from '../../../src/node/replica/index.ts';
import type { Random } from '../../../src/shared/index.ts';
import { codeOf, QuorateError, utf8 } from '../../../src/shared/index.ts';
import type { Compare, Envelope, KeyRecord, Operation } from '../../../src/store/index.ts';
import { defaultKeyspace } from '../../../src/store/index.ts';
import type { Answer, History } from './history.ts';
import { isForeseen } from './history.ts';
import type { KeyHistory } from './key-history.ts';
import { requestName } from './reference-store.ts';
import type { SimNode } from './sim-node.ts';
import type { World } from './world.ts';
import { anyOf, between, happens } from './world.ts';

export interface ClientInit {
  readonly name: string;
  readonly world: World;
  readonly history: History;
  readonly keyHistory: KeyHistory;
  readonly thinkMsMax: number;
  /** It numbers its writes, so that each is carried out once however often it is asked for. */
  readonly usesSession: boolean;
  /** Nodes that are up, maybe standing still. */
  readonly nodes: () => readonly SimNode[];
}

const ATTEMPTS_MAX = 12;
const KEYS = 10;
const asideTimeoutMs = 2_000;
/** More than two blocks of the log. */
const LONG_VALUE_BYTES = 9_000;
const keys = Array.from({ length: KEYS }, (_, i) => `k${i}`);

/** Asks any node for this and that, a few things at a time, until it is told to stop. */
export class Client {
  readonly #init: ClientInit;
  readonly #random: Random;
  #count = 0;
  #session: 'none' | 'opening' | 'open' = 'none';
  #sequence = 0;
  #isStopped = false;

  constructor(init: ClientInit) {
    this.#init = init;
    this.#random = init.world.fork();
  }

  start(): void {
    const { world, thinkMsMax } = this.#init;
    world.after(this.#random.intBelow(thinkMsMax + 1), () => {
      if (this.#isStopped) return;
      const together = happens(this.#random, 150) ? between(this.#random, 2, 4) : 1;
      const asked = Array.from({ length: together }, () => this.#ask());
      void Promise.all(asked).then(() => this.start());
    });
  }

  stop(): void {
    this.#isStopped = true;
  }

  async #ask(): Promise<void> {
    const node = anyOf(this.#random, this.#init.nodes());
    if (node === undefined) return;
    const name = `${this.#init.name}-${++this.#count}`;
    const timeoutMs = between(this.#random, 200, 4_000);
    if (happens(this.#random, 300)) await this.#read(node, name, { timeoutMs, isFirst: false });
    else if (this.#init.usesSession && this.#session !== 'opening') await this.#ofSession(name);
    else await this.write(node, this.#envelope(name), timeoutMs);
  }

  /** Request 1 opens the session: the next ones go out when it has its answer. */
  async #ofSession(name: string): Promise<void> {
    const sequence = ++this.#sequence;
    if (this.#session === 'none') this.#session = 'opening';
    const session = `session-${this.#init.name}`;
    const isDone = await this.#writeNumbered({ ...this.#envelope(name), session, sequence });
    if (isDone && sequence === 1) this.#session = 'open';
  }

  /** `isFirst`: it is seen before all that came while the process stood still. */
  async readSomething(node: SimNode, isFirst = false): Promise<void> {
    const name = `${this.#init.name}-${++this.#count}`;
    await this.#read(node, name, { timeoutMs: between(this.#random, 200, 4_000), isFirst });
  }

  async writeSomething(node: SimNode): Promise<void> {
    const name = `${this.#init.name}-${++this.#count}`;
    await this.write(node, this.#envelope(name), between(this.#random, 200, 4_000));
  }

  /**
   * To a key of its own: many such of which nobody knows what became are no riddle. Short: many of
   * them fit into a log that gets nothing committed.
   */
  async writeAside(node: SimNode, extraBytes = this.#random.intBelow(150)): Promise<void> {
    const name = `${this.#init.name}-${++this.#count}`;
    const put = this.#put(utf8(`aside ${name}`), name, extraBytes);
    await this.write(node, envelopeOf(name, { then: [put] }), asideTimeoutMs);
  }

  /** It takes several blocks of the log. */
  async writeLong(node: SimNode): Promise<void> {
    await this.writeAside(node, LONG_VALUE_BYTES);
  }

  /** Resolves when there is an answer, or never will be one. True: it was acknowledged. */
  async write(node: SimNode, envelope: Envelope, timeoutMs: number): Promise<boolean> {
    const { history, keyHistory } = this.#init;
    const name = requestName(envelope);
    const atLeast = history.knownRevision;
    const invokedAt = keyHistory.invoke();
    try {
      const applied = await this.#send(node, envelope, timeoutMs);
      history.onApplied(name, atLeast, applied);
      keyHistory.onApplied(name, invokedAt, envelope, applied);
      return true;
    } catch (error) {
      history.onWriteFailed(name, error);
      if (codeOf(error) === 'UNKNOWN_OUTCOME') keyHistory.onUnknown(name, invokedAt, envelope);
      return false;
    }
  }

  /** Asks again until there is an answer, anywhere; maybe once more after it, as if it were lost. */
  async #writeNumbered(envelope: Envelope): Promise<boolean> {
    const { history, keyHistory } = this.#init;
    const name = requestName(envelope);
    const atLeast = history.knownRevision;
    const invokedAt = keyHistory.invoke();
    let lastError: unknown = refused();
    let mayBeDone = false;
    for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
      try {
        const applied = await this.#sendSomewhere(envelope);
        history.onApplied(name, atLeast, applied);
        keyHistory.onApplied(name, invokedAt, envelope, applied);
        if (happens(this.#random, 150)) await this.#repeat(envelope, atLeast);
        return true;
      } catch (error) {
        if (!isForeseen(error)) this.#init.world.fail(error);
        if (!mayBeDone) lastError = error;
        mayBeDone ||= codeOf(error) === 'UNKNOWN_OUTCOME';
      }
      await this.#pause(between(this.#random, 1, 400));
    }
    history.onWriteFailed(name, lastError);
    if (mayBeDone) keyHistory.onUnknown(name, invokedAt, envelope);
    return false;
  }

  /** The same answer again, whatever happened since. */
  async #repeat(envelope: Envelope, atLeast: number): Promise<void> {
    try {
      const applied = await this.#sendSomewhere(envelope);
      this.#init.history.onRepeated(requestName(envelope), atLeast, applied);
    } catch (error) {
      this.#init.world.note(`${requestName(envelope)} again: ${codeOf(error) ?? String(error)}`);
      if (!isForeseen(error)) this.#init.world.fail(error);
    }
  }

  #sendSomewhere(envelope: Envelope): Promise<Applied> {
    const node = anyOf(this.#random, this.#init.nodes());
    if (node === undefined) return Promise.reject(refused());
    return this.#send(node, envelope, between(this.#random, 200, 4_000));
  }

  #send(node: SimNode, envelope: Envelope, timeoutMs: number): Promise<Applied> {
    this.#init.world.note(`${requestName(envelope)} asks ${node.name}: ${textOf(envelope)}`);
    return askProcess(node, (replica) => replica.run(envelope, timeoutMs));
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#init.world.after(ms, resolve));
  }

  async #read(
    node: SimNode,
    name: string,
    { timeoutMs, isFirst }: { timeoutMs: number; isFirst: boolean },
  ): Promise<void> {
    const { world, history, keyHistory } = this.#init;
    const key = anyOf(this.#random, keys) ?? '';
    const isLinearizable = happens(this.#random, 850);
    const atLeast = isLinearizable ? history.knownRevision : 0;
    const invokedAt = keyHistory.invoke();
    world.note(`${name} asks ${node.name}: ${isLinearizable ? 'read' : 'local read'} ${key}`);
    try {
      const ask = async (replica: Replica): Promise<Answer> => {
        if (isLinearizable) await replica.readBarrier(timeoutMs);
        return readKey(replica, key);
      };
      const answer = await askProcess(node, ask, isFirst);
      if (isLinearizable) history.onRead(name, atLeast, answer);
      else history.onLocalRead(name, answer);
      if (isLinearizable) keyHistory.onRead(name, invokedAt, answer);
    } catch (error) {
      if (codeOf(error) === 'STORAGE_DAMAGED' && node.disk.isDamaged) node.condemn(error);
      else history.onReadFailed(name, error);
    }
  }

  #envelope(session: string): Envelope {
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

  #compare(key: Uint8Array): Compare {
    const target = anyOf(this.#random, ['modRevision', 'version', 'createRevision'] as const);
    const relation = anyOf(this.#random, ['equal', 'less', 'greater', 'notEqual'] as const);
    const about = target === 'version' ? 4 : this.#init.history.knownRevision;
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

/** The answer of a process; UNKNOWN_OUTCOME when it is gone before. */
function askProcess<T>(
  node: SimNode,
  ask: (replica: Replica) => Promise<T>,
  isFirst = false,
): Promise<T> {
  const { life, replica } = node;
  if (life === null || replica === null) return Promise.reject(refused());
  return new Promise((resolve, reject) => {
    life.pass(() => {
      if (node.replica === replica) ask(replica).then(resolve, reject);
      else reject(refused());
    }, isFirst);
    void life.ended.then(() => reject(gone()));
  });
}

/** As the store's API does: the record and its revision at once, the value from its row. */
async function readKey(replica: Replica, key: string): Promise<Answer> {
  for (;;) {
    const { machine, engine } = replica.state;
    const record: KeyRecord | null = machine.key(utf8(key)) ?? null;
    const { revision } = machine;
    if (record === null) return { key, revision, record, value: null };
    const value = engine.peek(record.valueRow) ?? (await engine.read(record.valueRow));
    if (value !== null) return { key, revision, record, value };
    if (replica.state.machine.revision === revision) {
      return { key, revision, record, value: null };
    }
  }
}

const refused = (): QuorateError =>
  new QuorateError('STOPPED', 'Cannot ask a process that is gone');
const gone = (): QuorateError => new QuorateError('UNKNOWN_OUTCOME', 'The process is gone');

function textOf({ compare, then, else: otherwise }: Envelope): string {
  const operations = (all: readonly Operation[]): string =>
    all.map((one) => `${one.kind} ${'key' in one ? Buffer.from(one.key).toString() : ''}`).join();
  const conditions = compare.map((one) => `${one.target} ${one.relation} ${one.number}`).join();
  return `${conditions === '' ? '' : `if ${conditions}: `}${operations(then)} / ${operations(otherwise)}`;
}
