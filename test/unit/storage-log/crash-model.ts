import type { Entry, HardState, LogBase, LogStore } from '../../../src/raft/index.ts';
import { asIndex, asTerm } from '../../../src/shared/index.ts';
import type { Random } from '../../../src/shared/index.ts';
import {
  configurationEntry,
  contentOf,
  emptyBase,
  entry,
  lineOf,
  peer,
} from '../../contract/log-store-support.ts';

/** What a log shall hold. */
export interface LogModel {
  readonly hardState: HardState;
  readonly base: LogBase;
  readonly generation: number;
  /** From base.index + 1. */
  readonly entries: readonly Entry[];
}

export const freshModel: LogModel = {
  hardState: { term: asTerm(0), vote: null },
  base: emptyBase,
  generation: 1,
  entries: [],
};

/** One call on the log, and the states in which a crash in the middle of it may leave the log. */
export interface LogStep {
  readonly name: string;
  readonly run: (log: LogStore) => Promise<void>;
  readonly between: readonly LogModel[];
  readonly after: LogModel;
}

const lastIndexOf = ({ base, entries }: LogModel): number => base.index + entries.length;
const lastTermOf = ({ base, entries }: LogModel): number => entries.at(-1)?.term ?? base.term;

export function randomStep(model: LogModel, random: Random): LogStep {
  const kind = random.intBelow(20);
  if (kind === 0) return installStep(model, random);
  if (kind <= 3 && model.entries.length > 0) return compactStep(model, random);
  return writeStep(model, random);
}

function writeStep(model: LogModel, random: Random): LogStep {
  const term = asTerm(Math.max(model.hardState.term, lastTermOf(model)) + random.intBelow(2));
  const vote = random.intBelow(2) === 0 ? null : peer(`n${random.intBelow(3)}`);
  const hardState = random.intBelow(3) === 0 ? { term, vote } : undefined;
  const cut = random.intBelow(6) === 0 ? random.intBelow(model.entries.length + 1) : 0;
  const kept = model.entries.slice(0, model.entries.length - cut);
  const first = model.base.index + kept.length + 1;
  const count = random.intBelow(8) === 0 ? 0 : 1 + random.intBelow(random.intBelow(5) * 4 + 1);
  const added = Array.from({ length: count }, (_, i) => randomEntry(first + i, term, random));
  const put = (entries: readonly Entry[]): LogModel => ({
    ...model,
    hardState: hardState ?? model.hardState,
    entries: entries.length === 0 ? model.entries : [...kept, ...entries],
  });
  return {
    name: `write ${first}+${count}`,
    run: (log) => log.write({ sequence: 1, entries: added, ...(hardState && { hardState }) }),
    between: added.map((_, i) => put(added.slice(0, i + 1))),
    after: put(added),
  };
}

function randomEntry(index: number, term: number, random: Random): Entry {
  const size = random.intBelow(10);
  if (size === 0) return configurationEntry(index, term, `n${random.intBelow(9)}`);
  if (size === 1) return entry(index, term, new Uint8Array(random.intBelow(5000)));
  if (size === 2) return entry(index, term, `${index}`.padEnd(1 + random.intBelow(7000), '-'));
  return entry(index, term, `${index} of ${term} ${random.hex(random.intBelow(200))}`);
}

function compactStep(model: LogModel, random: Random): LogStep {
  const count = 1 + random.intBelow(model.entries.length);
  const { index, term } = model.entries[count - 1] ?? entry(0, 0);
  const base = { ...model.base, index, term };
  const after = { ...model, base, entries: model.entries.slice(count) };
  return { name: `compact ${index}`, run: (log) => log.compact(base), between: [], after };
}

function installStep(model: LogModel, random: Random): LogStep {
  const last = lastIndexOf(model);
  const index = asIndex(model.base.index + random.intBelow(last - model.base.index + 10));
  const held = model.entries[index - model.base.index - 1];
  const isHeld = held !== undefined && random.intBelow(2) === 0;
  const term = isHeld ? held.term : asTerm(lastTermOf(model) + 1);
  const base = { ...model.base, index, term };
  const generation = model.generation + 1;
  const entries = isHeld ? model.entries.slice(index - model.base.index) : [];
  return {
    name: `install ${index}`,
    run: (log) => log.installBase(base, generation),
    between: [],
    after: { ...model, base, generation, entries },
  };
}

/** One text for all that a reader can see: equal texts mean equal logs. */
export const textOfModel = ({ hardState, base, generation, entries }: LogModel): string =>
  textOf({ hardState, base, generation }, entries.map(lineOf), {
    payloadBytes: entries.map(({ payload }) => payload.length),
    configurations: entries
      .filter(({ kind }) => kind === 'configuration')
      .map(({ index }) => index),
    terms: entries.map((one) => one.term),
  });

export async function textOfLog(log: LogStore): Promise<string> {
  const { hardState, base, generation, lastIndex, ...rest } = log.recovered;
  const terms: number[] = [];
  for (let index = base.index + 1; index <= lastIndex; index++) {
    terms.push(rest.termRuns.findLast(({ firstIndex }) => firstIndex <= index)?.term ?? -1);
  }
  return textOf({ hardState, base, generation }, await contentOf(log, base.index + 1, lastIndex), {
    payloadBytes: rest.entryBytes,
    configurations: rest.configurations.map(({ index }) => index),
    terms,
  });
}

const textOf = (...parts: readonly unknown[]): string => JSON.stringify(parts);
