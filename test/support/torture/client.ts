import { Agent } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../../../src/shared/index.ts';
import { query } from '../e2e/index.ts';
import type { KeyRequest } from '../linearizability/index.ts';
import type { Registers } from './registers.ts';
import { tell } from './request.ts';
import type { Call, Told } from './request.ts';
import type { Tally } from './tally.ts';

/** How long the node may look for a leader, and how much longer the client waits for the node. */
const leaderWaitSeconds = 1;
const patienceMs = 2500;
const pauseMsMax = 30;
/** A node that is not there is asked less often. */
const absencePauseMs = 100;

export interface ClientInit {
  readonly name: string;
  /** The nodes, host:port, the one that it asks first; the others are for repeated requests. */
  readonly nodes: readonly string[];
  /** Numbers its changes and repeats each one until it is acknowledged: it must apply once. */
  readonly isNumbered: boolean;
  readonly registers: Registers;
  readonly tally: Tally;
  readonly random: Random;
  readonly signal: AbortSignal;
}

interface Wanted {
  readonly kind: 'get' | 'set' | 'del';
  readonly key: string;
  readonly value?: string;
  /** Of the session's request; 0: none. */
  readonly number: number;
}

/** One request at a time, each noted with its outcome. */
export class Client {
  readonly #init: ClientInit;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  #sent = 0;
  #numbered = 0;

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
    const old = registers.takeOld();
    if (old !== null) return this.#delete(old);
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
    const { isNumbered } = this.#init;
    const number = isNumbered ? ++this.#numbered : 0;
    const value = request.kind === 'put' ? { value: request.value } : {};
    const invokedAt = performance.now();
    const wanted: Wanted = { kind, key, number, ...value };
    const told = await (isNumbered ? this.#insist(wanted) : this.#ask(wanted));
    if (told.outcome !== 'ok' && told.outcome !== 'unknown') registers.forget(key);
    else {
      const returnedAt = told.outcome === 'unknown' ? null : performance.now();
      registers.record(key, { name: this.#name, invokedAt, returnedAt, request });
    }
    return told;
  }

  async #delete(old: string): Promise<Told> {
    const told = await this.#change('del', old, { kind: 'delete' });
    if (told.outcome !== 'ok') this.#init.registers.keep(old);
    return told;
  }

  /** Repeats the same numbered request, at other nodes too, until it is done or the run is over. */
  async #insist(wanted: Wanted): Promise<Told> {
    const { signal } = this.#init;
    let isMaybeDone = false;
    for (let attempt = 0; ; attempt++) {
      const told = await this.#ask(wanted, attempt);
      if (told.status === 410) throw new Error(`A session was forgotten: ${told.text}`);
      if (told.outcome === 'ok') return told;
      if (told.outcome === 'unknown') isMaybeDone = true;
      if (signal.aborted) return isMaybeDone ? { ...told, outcome: 'unknown' } : told;
      await delay(absencePauseMs);
    }
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

  #read(key: string): Promise<Told> {
    return this.#ask({ kind: 'get', key, number: 0 });
  }

  async #ask(wanted: Wanted, attempt = 0): Promise<Told> {
    const { nodes, tally } = this.#init;
    const { kind } = wanted;
    this.#sent++;
    const told = await tell(this.#call(wanted, nodes[attempt % nodes.length] ?? ''));
    // That there is no such key is an answer.
    const isAbsent = kind === 'get' && told.status === 404;
    const outcome = isAbsent ? 'ok' : told.outcome;
    if (isOdd(told.status, isAbsent)) tally.odd(`${kind} was answered ${told.status} ${told.text}`);
    tally.request(attempt === 0 ? kind : 'repeated', outcome);
    return { ...told, outcome };
  }

  #call({ kind, key, value, number }: Wanted, http: string): Call {
    const raw = kind === 'get' ? 1 : undefined;
    const path = `/${kind}?${query({ key, value, raw, timeout: leaderWaitSeconds })}`;
    const session = { 'x-client-id': this.#init.name, 'x-request-id': String(number) };
    return {
      url: `http://${http}${path}`,
      method: kind === 'get' ? 'GET' : 'POST',
      agent: this.#agent,
      timeoutMs: patienceMs,
      headers: number > 0 ? session : {},
    };
  }

  get #name(): string {
    return `${this.#init.name}.${this.#sent}`;
  }
}

const isOdd = (status: number, isAbsent: boolean): boolean =>
  !isAbsent && ![0, 200, 503, 504].includes(status);
