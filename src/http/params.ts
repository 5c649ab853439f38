import { decodeFormText } from './decode.ts';
import { paramError } from './refusal.ts';

/** Undecoded `name=value` pairs of a query and a form body, decoded when asked for. */
export interface Params {
  /**
   * The decoded value; undefined when absent. Throws 400 when it is given twice (in the query, in
   * the body, or once in each: nobody can tell which one is meant) or is not UTF-8.
   */
  get(name: string): string | undefined;
}

/** `sources` hold one byte per character. Throws 400 above `parametersMax` pairs. */
export function parseParams(sources: readonly string[], parametersMax: number): Params {
  const names: string[] = [];
  const values: string[] = [];
  for (const source of sources) split(source, names, values, parametersMax);
  return { get: (name) => find(name, names, values) };
}

function split(source: string, names: string[], values: string[], max: number): void {
  let from = 0;
  while (from < source.length) {
    let to = source.indexOf('&', from);
    if (to < 0) to = source.length;
    if (to > from) {
      if (names.length >= max) throw paramError(`more than ${max} parameters`);
      addPair(source.slice(from, to), names, values);
    }
    from = to + 1;
  }
}

function addPair(pair: string, names: string[], values: string[]): void {
  const equals = pair.indexOf('=');
  const rawName = equals < 0 ? pair : pair.slice(0, equals);
  const name = decodeFormText(rawName);
  if (name === undefined) throw paramError('a parameter name is not percent-encoded UTF-8');
  names.push(name);
  values.push(equals < 0 ? '' : pair.slice(equals + 1));
}

function find(
  name: string,
  names: readonly string[],
  values: readonly string[],
): string | undefined {
  const at = names.indexOf(name);
  if (at < 0) return undefined;
  if (names.includes(name, at + 1)) throw paramError(`${name} is given more than once`);
  const value = decodeFormText(values[at] ?? '');
  if (value === undefined) throw paramError(`${name} is not percent-encoded UTF-8`);
  return value;
}
