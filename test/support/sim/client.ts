import type { Applied, Replica } from '../../../src/node/replica/index.ts';
import type { Random } from '../../../src/shared/index.ts';
import { codeOf, QuorateError, utf8 } from '../../../src/shared/index.ts';
import type { Envelope, KeyRecord } from '../../../src/store/index.ts';
import type { Answer, History } from './history.ts';
import { isForeseen } from './history.ts';
import type { KeyHistory } from './key-history.ts';
import { requestName } from './reference-store.ts';
import { keys, Requests, textOf } from './requests.ts';
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
const asideTimeoutMs = 2_000;

/** Asks any node for this and that, a few things at a time, until it is told to stop. */
export class Client {
  readonly #init: ClientInit;
  readonly #random: Random;
  readonly #requests: Requests;
  #count = 0;
  #session: 'none' | 'opening' | 'open' = 'none';
  #sequence = 0;
  #isStopped = false;

  constructor(init: ClientInit) {
    this.#init = init;
    this.#random = init.world.fork();
    this.#requests = new Requests(this.#random, init.history);
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
    else await this.write(node, this.#requests.any(name), timeoutMs);
  }

  /** Request 1 opens the session: the next ones go out when it has its answer. */
  async #ofSession(name: string): Promise<void> {
    const sequence = ++this.#sequence;
    if (this.#session === 'none') this.#session = 'opening';
    const session = `session-${this.#init.name}`;
    const isDone = await this.#writeNumbered({ ...this.#requests.any(name), session, sequence });
    if (isDone && sequence === 1) this.#session = 'open';
  }

  /** `isFirst`: it is seen before all that came while the process stood still. */
  async readSomething(node: SimNode, isFirst = false): Promise<void> {
    const name = `${this.#init.name}-${++this.#count}`;
    await this.#read(node, name, { timeoutMs: between(this.#random, 200, 4_000), isFirst });
  }

  async writeSomething(node: SimNode): Promise<void> {
    const name = `${this.#init.name}-${++this.#count}`;
    await this.write(node, this.#requests.any(name), between(this.#random, 200, 4_000));
  }

  /**
   * To a key of its own: many such of which nobody knows what became are no riddle. Short: many of
   * them fit into a log that gets nothing committed.
   */
  async writeAside(node: SimNode): Promise<void> {
    const name = `${this.#init.name}-${++this.#count}`;
    await this.write(node, this.#requests.aside(name), asideTimeoutMs);
  }

  /** As `writeAside`, but it takes several blocks of the log. */
  async writeLong(node: SimNode): Promise<void> {
    const name = `${this.#init.name}-${++this.#count}`;
    await this.write(node, this.#requests.long(name), asideTimeoutMs);
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
}

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
