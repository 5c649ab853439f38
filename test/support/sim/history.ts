import { codeOf, equalBytes } from '../../../src/shared/index.ts';
import type { Applied } from '../../../src/node/replica/index.ts';
import type { KeyRecord } from '../../../src/store/index.ts';
import type { CommittedLog } from './committed-log.ts';
import type { Counts } from './counts.ts';
import type { World } from './world.ts';

/** What a client was told about a key. */
export interface Answer {
  readonly key: string;
  /** Of the state it was read from. */
  readonly revision: number;
  readonly record: KeyRecord | null;
  readonly value: Uint8Array | null;
}

/** Codes that promise: this was not and will not be carried out. */
const refusals = new Set<string | undefined>(['NO_LEADER', 'OVERLOADED', 'STOPPED']);
/** A read may also meet a process or a disk that dies. */
const readFailures = new Set([...refusals, 'UNKNOWN_OUTCOME', 'STORAGE_FAILED']);

/** A request may fail so: it was not carried out, or nobody knows. */
export const isForeseen = (error: unknown): boolean =>
  refusals.has(codeOf(error)) || codeOf(error) === 'UNKNOWN_OUTCOME';

/**
 * What clients asked and what they were told. As the committed log is one order of all writes, a
 * history is linearizable when each answer is true at its place in that order, and no answer lies
 * before what somebody knew already when the question was asked.
 */
export class History {
  /** Highest revision that any answer has shown. */
  #knownRevision = 0;
  readonly #refused = new Set<string>();
  readonly #acked: string[] = [];
  #checks: (() => void)[] = [];
  readonly #world: World;
  readonly #log: CommittedLog;
  readonly #counts: Counts;

  constructor(world: World, log: CommittedLog, counts: Counts) {
    this.#world = world;
    this.#log = log;
    this.#counts = counts;
  }

  /** What a question that is asked now must not be answered from before. */
  get knownRevision(): number {
    return this.#knownRevision;
  }

  /** Commands that were acknowledged, in the order of the answers. */
  get acked(): readonly string[] {
    return this.#acked;
  }

  /** What was acknowledged before was asked for again, and has its answer again. */
  onRepeated(name: string, atLeast: number, applied: Applied): void {
    this.#counts.repetitions++;
    this.#acknowledge(name, atLeast, applied);
  }

  onApplied(name: string, atLeast: number, applied: Applied): void {
    this.#counts.writesAcked++;
    this.#acknowledge(name, atLeast, applied);
  }

  #acknowledge(name: string, atLeast: number, { revision, changed, branch }: Applied): void {
    this.#world.note(`${name} acked: ${branch} ${changed ? 'changed' : 'as it was'} ${revision}`);
    this.#acked.push(name);
    this.#know(revision);
    this.#later(() => {
      const truth = this.#log.store.resultOf(name);
      if (truth === undefined) this.#violate(`${name} was acknowledged, but is not committed`);
      else if (
        truth.revision !== revision ||
        truth.changed !== changed ||
        truth.branch !== branch
      ) {
        this.#violate(
          `${name} was answered ${branch} ${revision}, but is ${JSON.stringify(truth)}`,
        );
      }
      if (revision < atLeast) this.#violate(`${name} got revision ${revision} after ${atLeast}`);
    });
  }

  onWriteFailed(name: string, error: unknown): void {
    const code = codeOf(error);
    this.#world.note(`${name} failed: ${code ?? String(error)}`);
    if (refusals.has(code)) {
      this.#counts.writesRefused++;
      this.#refused.add(name);
    } else if (code === 'UNKNOWN_OUTCOME') this.#counts.writesUnknown++;
    else this.#violate(`${name} failed in no foreseen way: ${String(error)}`);
  }

  onRead(name: string, atLeast: number, answer: Answer): void {
    const { key, revision, record } = answer;
    this.#counts.readsAnswered++;
    this.#world.note(`${name} read ${key} at ${revision}: ${record?.modRevision ?? 'nothing'}`);
    this.#know(revision);
    this.#later(() => {
      if (revision < atLeast) {
        this.#violate(`${name} read revision ${revision}, older than ${atLeast} known before`);
      }
      this.#checkAnswer(name, answer);
    });
  }

  /** From whatever that node has: true at some time, but maybe old. */
  onLocalRead(name: string, answer: Answer): void {
    this.#counts.readsAnswered++;
    this.#world.note(`${name} read ${answer.key} at ${answer.revision} locally`);
    this.#later(() => this.#checkAnswer(name, answer));
  }

  onReadFailed(name: string, error: unknown): void {
    this.#counts.readsRefused++;
    const code = codeOf(error);
    this.#world.note(`${name} failed: ${code ?? String(error)}`);
    if (readFailures.has(code)) return;
    this.#violate(`${name} failed in no foreseen way: ${String(error)}`);
  }

  /** After each event: by now the committed log knows what the answers spoke of. */
  check(): void {
    const checks = this.#checks;
    if (checks.length === 0) return;
    this.#checks = [];
    for (const check of checks) check();
  }

  /** A command was committed: it must not be one that was refused, nor one that was already. */
  onCommitted(): void {
    for (const name of this.#log.store.repeated.splice(0)) {
      this.#violate(`${name} was carried out twice`);
    }
  }

  /** At the end: nothing that was refused came through. */
  checkRefused(): void {
    for (const name of this.#refused) {
      if (this.#log.store.resultOf(name) === undefined) continue;
      this.#violate(`${name} was refused as surely not done, but is committed`);
    }
  }

  #checkAnswer(name: string, { key, revision, record, value }: Answer): void {
    const truth = this.#log.store.keyAt(key, revision);
    if (truth === null || record === null || value === null) {
      if (truth !== null || record !== null || value !== null) {
        this.#violate(`${name} read ${key} at ${revision} as ${record ? 'there' : 'missing'}`);
      }
      return;
    }
    const isTrue =
      equalBytes(truth.value, value) &&
      truth.modRevision === record.modRevision &&
      truth.createRevision === record.createRevision &&
      truth.version === record.version;
    if (!isTrue) this.#violate(`${name} read of ${key} at ${revision} what never was so`);
  }

  #know(revision: number): void {
    this.#knownRevision = Math.max(this.#knownRevision, revision);
  }

  #later(check: () => void): void {
    this.#checks.push(check);
  }

  #violate(message: string): void {
    this.#world.violate(message);
  }
}
