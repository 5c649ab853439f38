import { QuorateError } from './errors.ts';

/** A program and its own arguments. */
export interface CommandLine {
  readonly file: string;
  readonly args: readonly string[];
}

type State = 'plain' | 'single' | 'double';

/** Characters that a backslash inside double quotes takes its meaning from. */
const escapableInDouble = '"\\$`';

class Splitter {
  readonly #text: string;
  readonly #words: string[] = [];
  /** Null between words: an empty word in quotes is a word too. */
  #word: string | null = null;
  #state: State = 'plain';

  constructor(text: string) {
    this.#text = text;
  }

  split(): readonly string[] {
    for (let at = 0; at < this.#text.length;) at += this.#take(at);
    if (this.#state !== 'plain') {
      this.#refuse(`a ${this.#state === 'single' ? "'" : '"'} is not closed`);
    }
    this.#endWord();
    return this.#words;
  }

  /** Takes what stands at `at`; returns how many characters that was. */
  #take(at: number): number {
    const char = this.#text.charAt(at);
    if (this.#state === 'single') return this.#inSingle(char);
    if (char === '\\') return this.#escape(at);
    if (this.#state === 'double') return this.#inDouble(char);
    return this.#inPlain(char);
  }

  #inSingle(char: string): number {
    if (char === "'") this.#state = 'plain';
    else this.#append(char);
    return 1;
  }

  #inDouble(char: string): number {
    if (char === '"') this.#state = 'plain';
    else this.#append(char);
    return 1;
  }

  #inPlain(char: string): number {
    if (/\s/.test(char)) this.#endWord();
    else if (char === "'" || char === '"') {
      this.#state = char === "'" ? 'single' : 'double';
      this.#append('');
    } else this.#append(char);
    return 1;
  }

  #escape(at: number): number {
    const next = this.#text.charAt(at + 1);
    if (next === '') this.#refuse('it ends in a backslash');
    const keeps = this.#state === 'double' && !escapableInDouble.includes(next);
    this.#append(keeps ? `\\${next}` : next);
    return 2;
  }

  #append(text: string): void {
    this.#word = (this.#word ?? '') + text;
  }

  #endWord(): void {
    if (this.#word !== null) this.#words.push(this.#word);
    this.#word = null;
  }

  #refuse(found: string): never {
    const shown = JSON.stringify(this.#text);
    throw new QuorateError('CONFIG_INVALID', `Cannot read ${shown} as a command: ${found}`);
  }
}

/**
 * Splits `program arguments...` at blanks as a shell would: quotes and backslashes work, nothing is
 * expanded and no character joins commands. Throws CONFIG_INVALID when a quote is left open, when it
 * ends in a backslash and when there is no program.
 */
export function splitCommand(text: string): CommandLine {
  const [file, ...args] = new Splitter(text).split();
  if (file === undefined || file === '') {
    const shown = JSON.stringify(text);
    throw new QuorateError('CONFIG_INVALID', `Cannot read ${shown} as a command: no program`);
  }
  return { file, args };
}
