/** A mistake as a unified patch, below a header that says what it is. */
export interface Patch {
  /** Of its file, without the ending. */
  readonly name: string;
  /** The mistake, as it happened to others. */
  readonly bug: string;
  readonly goesWrong: string;
  readonly files: readonly FileChange[];
}

interface FileChange {
  /** From the root of the project. */
  readonly path: string;
  readonly hunks: readonly Hunk[];
}

/** Lines that must be there, once, and what takes their place. */
interface Hunk {
  readonly before: string;
  readonly after: string;
}

/** Reads a patch. Throws when it lacks a header or changes nothing. */
export function parsePatch(name: string, text: string): Patch {
  const [header = '', ...parts] = text.split(/^--- a\//m);
  const patch = {
    name,
    bug: fieldOf(header, 'Bug'),
    goesWrong: fieldOf(header, 'Goes wrong'),
    files: parts.map(parseFile),
  };
  const isWhole = patch.files.length > 0 && patch.files.every(({ hunks }) => hunks.length > 0);
  if (!isWhole) throw new Error(`Cannot read ${name} as a patch: it changes nothing`);
  return patch;
}

function fieldOf(header: string, field: string): string {
  const value = new RegExp(`^${field}: (.+)$`, 'm').exec(header)?.[1];
  if (value === undefined) throw new Error(`Cannot read a patch as a mutant: no line ${field}`);
  return value;
}

function parseFile(part: string): FileChange {
  const [names = '', ...hunks] = part.split(/^@@ .*$\n/m);
  return { path: names.split('\n')[0] ?? '', hunks: hunks.map(parseHunk) };
}

function parseHunk(text: string): Hunk {
  const lines = text.replace(/\n$/, '').split('\n');
  const side = (unwanted: string): string =>
    lines
      .filter((line) => !line.startsWith(unwanted))
      .map((line) => `${line.slice(1)}\n`)
      .join('');
  return { before: side('+'), after: side('-') };
}

/**
 * The changed files: path and new text. Line numbers do not count, the lines themselves do: each
 * hunk must be found exactly once. Throws when the patch does not apply.
 */
export function applyPatch(
  { name, files }: Patch,
  read: (path: string) => string,
): ReadonlyMap<string, string> {
  const changed = new Map<string, string>();
  for (const { path, hunks } of files) {
    let text = read(path);
    for (const hunk of hunks) text = applyHunk(text, hunk, `${name} to ${path}`);
    changed.set(path, text);
  }
  return changed;
}

function applyHunk(text: string, { before, after }: Hunk, what: string): string {
  const [head, tail, ...more] = text.split(before);
  if (head !== undefined && tail !== undefined && more.length === 0) return head + after + tail;
  const found = tail === undefined ? 'nowhere' : `${more.length + 1} times`;
  throw new Error(`Cannot apply ${what}: these lines are there ${found}:\n${before}`);
}
