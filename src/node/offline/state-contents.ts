import { codeOf, fromUtf8 } from '../../shared/index.ts';
import type { StateVerification } from '../../storage/index.ts';
import { StateMachine, ValueRows } from '../../store/index.ts';

/** Loads the rows of a state while they are verified, and finds what no row shows by itself. */
export class StateContents {
  readonly #machine = new StateMachine();
  readonly #values = new ValueRows();
  #problem: string | null = null;

  /** Takes a whole row, in key order. */
  add(row: Uint8Array, value: Uint8Array): void {
    this.#values.see(row);
    this.#problem ??= damageIn(() => this.#machine.load(row, value));
  }

  /** One sentence each. Of rows that are not whole it says nothing but that. */
  problems({ appliedIndex, digest, findings }: StateVerification): readonly string[] {
    const broken = this.#problem === null ? findings : [this.#problem, ...findings];
    if (broken.length > 0 || appliedIndex === null) return broken;
    this.#machine.finishLoad(appliedIndex);
    return [this.#difference(digest), this.#missing()].filter((problem) => problem !== null);
  }

  #difference(written: number | null): string | null {
    if (written === null || written === this.#machine.digest()) return null;
    return 'the rows are whole, but not all that were written: their digest differs from the stored one';
  }

  #missing(): string | null {
    const [first, ...others] = this.#values.missing(this.#machine);
    if (first === undefined) return null;
    const more = others.length === 0 ? '' : `, and ${others.length} more`;
    return `the row with the value of key ${fromUtf8(first.key)} is missing${more}`;
  }
}

/** What a damage is; anything else is thrown. */
function damageIn(load: () => void): string | null {
  try {
    load();
    return null;
  } catch (error) {
    if (codeOf(error) === 'STORAGE_DAMAGED' && error instanceof Error) return error.message;
    throw error;
  }
}
