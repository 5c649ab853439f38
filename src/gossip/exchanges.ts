import type { NodeId } from '../shared/index.ts';
import { limits } from './limits.ts';
import type { Emit } from './types.ts';

/** Why an exchange runs. */
export type Purpose =
  | { readonly kind: 'probe'; readonly sequence: number }
  | { readonly kind: 'seed'; readonly address: string }
  | { readonly kind: 'repair'; readonly owners: readonly NodeId[] }
  | { readonly kind: 'pushPull' };

export interface Exchange {
  readonly purpose: Purpose;
  readonly to: string;
  readonly forgottenAtMs: number;
}

export interface Request {
  readonly to: string;
  readonly bytes: Uint8Array;
  readonly timeoutMs: number;
  readonly purpose: Purpose;
}

/** Exchanges in flight, bounded by limits.exchangesMax. */
export class Exchanges {
  readonly #emit: Emit;
  readonly #running = new Map<number, Exchange>();
  #lastId = 0;

  constructor(emit: Emit) {
    this.#emit = emit;
  }

  get size(): number {
    return this.#running.size;
  }

  isRunning(kind: Purpose['kind']): boolean {
    for (const { purpose } of this.#running.values()) if (purpose.kind === kind) return true;
    return false;
  }

  /** False when too many run already: try later. */
  start(request: Request, nowMs: number): boolean {
    if (this.#running.size >= limits.exchangesMax) return false;
    const { to, bytes, timeoutMs, purpose } = request;
    const id = ++this.#lastId;
    this.#running.set(id, { purpose, to, forgottenAtMs: nowMs + 2 * timeoutMs });
    this.#emit({ kind: 'exchange', id, to, bytes, timeoutMs });
    return true;
  }

  /** Undefined for one that is unknown or was forgotten. */
  end(id: number): Exchange | undefined {
    const exchange = this.#running.get(id);
    this.#running.delete(id);
    return exchange;
  }

  /** Ends and returns those whose end was never told. */
  takeForgotten(nowMs: number): Exchange[] {
    const forgotten: Exchange[] = [];
    for (const [id, exchange] of this.#running) {
      if (exchange.forgottenAtMs > nowMs) continue;
      this.#running.delete(id);
      forgotten.push(exchange);
    }
    return forgotten;
  }

  clear(): void {
    this.#running.clear();
  }
}
