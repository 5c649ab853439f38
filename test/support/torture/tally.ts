import type { Outcome } from './request.ts';

/** `repeated`: a numbered change that was sent again. */
export type RequestKind = 'set' | 'get' | 'del' | 'repeated';
const kinds: readonly RequestKind[] = ['set', 'get', 'del', 'repeated'];
const outcomes: readonly Outcome[] = ['ok', 'refused', 'unreachable', 'unknown'];

/** Counts for people. */
export class Tally {
  readonly #requests = new Map<string, number>();
  readonly #faults = new Map<string, number>();
  readonly #leaders = new Set<string>();
  readonly #odd = new Map<string, number>();
  #leader = '';
  #leaderChanges = 0;
  #term = 0;
  #okCount = 0;
  #writeCount = 0;
  readonly #recoveriesMs: number[] = [];
  #writtenAtMs = performance.now();
  #withoutWriteMsMax = 0;

  request(kind: RequestKind, outcome: Outcome): void {
    add(this.#requests, `${kind} ${outcome}`);
    if (outcome !== 'ok') return;
    this.#okCount++;
    if (kind !== 'get') this.#wrote();
  }

  /** An answer that the contract does not name. */
  odd(what: string): void {
    add(this.#odd, what);
  }

  /** From the end of all faults to the first acknowledged write. */
  recovered(ms: number): void {
    this.#recoveriesMs.push(ms);
  }

  fault(name: string): void {
    add(this.#faults, name);
  }

  leads(node: string, term: number): void {
    if (term < this.#term || node === this.#leader) return;
    this.#term = term;
    this.#leader = node;
    this.#leaderChanges++;
    this.#leaders.add(node);
  }

  /** The writers begin: what came before is no wait of theirs. */
  resetClock(): void {
    this.#writtenAtMs = performance.now();
  }

  get leader(): string {
    return this.#leader;
  }

  get okCount(): number {
    return this.#okCount;
  }

  get writeCount(): number {
    return this.#writeCount;
  }

  get faultCount(): number {
    return [...this.#faults.values()].reduce((sum, count) => sum + count, 0);
  }

  table(): string {
    const rows = kinds.map((kind) => [
      kind,
      ...outcomes.map((outcome) => String(this.#requests.get(`${kind} ${outcome}`) ?? 0)),
    ]);
    const faults = [...this.#faults].sort(([a], [b]) => (a < b ? -1 : 1));
    const longest = (this.#withoutWriteMsMax / 1000).toFixed(1);
    const slowest = (Math.max(0, ...this.#recoveriesMs) / 1000).toFixed(1);
    return [
      ...columns([['requests', ...outcomes], ...rows]),
      '',
      ...columns([['faults', 'count'], ...faults.map(([name, count]) => [name, String(count)])]),
      ...[...this.#odd].map(([what, count]) => `${count} times ${what}`),
      '',
      `longest time without an acknowledged write: ${longest} s`,
      `longest wait for one after all faults were over: ${slowest} s, of ${this.#recoveriesMs.length}`,
      `leaders: ${this.#leaderChanges} changes among ${this.#leaders.size} nodes, last seen term ${this.#term}`,
    ].join('\n');
  }

  /** The writers have ended: the wait that is under way counts, what comes after it does not. */
  endClock(): void {
    const nowMs = performance.now();
    this.#withoutWriteMsMax = Math.max(this.#withoutWriteMsMax, nowMs - this.#writtenAtMs);
    this.#writtenAtMs = nowMs;
  }

  #wrote(): void {
    this.#writeCount++;
    this.endClock();
  }
}

function add(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('  '),
  );
}
