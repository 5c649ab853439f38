import { Agent } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../../../src/shared/index.ts';
import { query } from '../e2e/index.ts';
import type { KeyRequest } from '../linearizability/index.ts';
import type { Registers } from './registers.ts';
import { tell } from './request.ts';
import type { Told } from './request.ts';
import type { RequestKind, Tally } from './tally.ts';

/** How long the node may look for a leader, and how much longer the client waits for the node. */
const leaderWaitSeconds = 1;
const patienceMs = 2500;
const pauseMsMax = 30;
/** A node that is not there is asked less often. */
const absencePauseMs = 100;

export interface ClientInit {
  readonly name: string;
  /** The node that it asks, host:port. */
  readonly http: string;
  readonly registers: Registers;
  readonly tally: Tally;
  readonly random: Random;
  readonly signal: AbortSignal;
}

/** One request at a time through one node, each noted with its outcome. */
export class Client {
  readonly #init: ClientInit;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  #sent = 0;

  constructor(init: ClientInit) {
    this.#init = init;
  }

  /** Until the signal; rejects when answers contradict each other. */
  async run(): Promise<void> {
    const { signal, random } = this.#init;
    while (!signal.aborted) {
      const { outcome } = await this.#next();
      await delay(outcome === 'unreachable' ? absencePauseMs : 1 + random.intBelow(pauseMsMax));
    }
    this.#agent.destroy();
  }

  #next(): Promise<Told> {
    const { registers, random } = this.#init;
    const left = registers.takeLeft();
    if (left !== null) return this.#close(left);
    const key = registers.take(random);
    const dice = random.intBelow(20);
    if (dice < 9) return this.#get(key);
    if (dice < 11) return this.#change('del', key, { kind: 'delete' });
    const value = `${this.#init.name}.${this.#sent}`;
    return this.#change('set', key, { kind: 'put', value });
  }

  async #change(
    kind: 'set' | 'del',
    key: string,
    request: Extract<KeyRequest, { kind: 'put' | 'delete' }>,
  ): Promise<Told> {
    const { registers } = this.#init;
    const value = request.kind === 'put' ? request.value : undefined;
    const invokedAt = performance.now();
    const told = await this.#ask(kind, 'POST', { key, value });
    const isUnknown = told.outcome === 'unknown';
    if (told.outcome !== 'ok' && !isUnknown) registers.forget(key);
    else {
      const returnedAt = isUnknown ? null : performance.now();
      registers.record(key, { name: this.#name, invokedAt, returnedAt, request });
    }
    return told;
  }

  async #get(key: string): Promise<Told> {
    const { registers } = this.#init;
    const invokedAt = performance.now();
    const told = await this.#read(key);
    if (told.outcome !== 'ok') registers.forget(key);
    else this.#note(key, told, invokedAt);
    return told;
  }

  /** The last read of a key of which no more is asked; tried until it is answered. */
  async #close(key: string): Promise<Told> {
    const { registers, signal } = this.#init;
    for (;;) {
      const invokedAt = performance.now();
      const told = await this.#read(key);
      if (told.outcome === 'ok') {
        this.#note(key, told, invokedAt);
        registers.check(key);
        return told;
      }
      if (signal.aborted) {
        registers.forget(key);
        return told;
      }
      await delay(absencePauseMs);
    }
  }

  #note(key: string, { status, text }: Told, invokedAt: number): void {
    const request: KeyRequest = { kind: 'get', value: status === 404 ? null : text };
    const returnedAt = performance.now();
    this.#init.registers.record(key, { name: this.#name, invokedAt, returnedAt, request });
  }

  /** 404 is an answer here. */
  async #read(key: string): Promise<Told> {
    return this.#ask('get', 'GET', { key, raw: 1 });
  }

  async #ask(
    kind: RequestKind,
    method: 'GET' | 'POST',
    parameters: Readonly<Record<string, string | number | undefined>>,
  ): Promise<Told> {
    const { http, tally } = this.#init;
    this.#sent++;
    const path = `/${kind}?${query({ ...parameters, timeout: leaderWaitSeconds })}`;
    const call = {
      url: `http://${http}${path}`,
      method,
      agent: this.#agent,
      timeoutMs: patienceMs,
    };
    const told = await tell(call);
    const isAbsent = kind === 'get' && told.status === 404;
    const outcome = isAbsent ? 'ok' : told.outcome;
    if (isOdd(told.status, isAbsent)) tally.odd(`${kind} was answered ${told.status} ${told.text}`);
    tally.request(kind, outcome);
    return { ...told, outcome };
  }

  get #name(): string {
    return `${this.#init.name}.${this.#sent}`;
  }
}

const isOdd = (status: number, isAbsent: boolean): boolean =>
  !isAbsent && ![0, 200, 503, 504].includes(status);
