import type { RaftSettings } from '../../../src/raft/index.ts';
import { asTerm, assert } from '../../../src/shared/index.ts';
import { configurationOf, peer } from '../raft-fixtures.ts';
import { perform } from './commands.ts';
import { Stage } from './stage.ts';

/**
 * Runs a transcript and writes it again with what was said. A line is a comment (`#`), empty, what
 * a node said (it begins with two spaces; it is replaced), or a command. The first command is
 *
 *   start voters=a,b,c learners=d outside=e log.a=1,1,2 term.a=3 vote.a=b window=2 leases=on seed=1
 *
 * where all but `voters` may be missing; `log` gives the terms of the entries that a node starts
 * with. The other commands are in commands.ts.
 */
export function rerun(text: string): string {
  const written: string[] = [];
  let stage: Stage | null = null;
  for (const line of text.split('\n')) {
    if (line.startsWith('  ')) continue;
    written.push(line);
    if (line === '' || line.startsWith('#')) continue;
    if (line.startsWith('start ')) {
      stage = start(line.split(' ').slice(1));
      continue;
    }
    assert(stage !== null, `start must come before: ${line}`);
    stage.lines = [];
    try {
      perform(stage, line);
    } catch (cause) {
      throw new Error(`Cannot run "${line}" after:\n${written.join('\n')}`, { cause });
    }
    for (const said of stage.lines) written.push(`  ${said}`);
  }
  assert(stage !== null, 'A transcript must start a cluster');
  return written.join('\n');
}

function start(words: readonly string[]): Stage {
  const options = new Map(words.map((word) => word.split('=') as [string, string]));
  const listed = (key: string): string => (options.get(key) ?? '').replaceAll(',', ' ').trim();
  const groups = ['voters', 'learners', 'observers', 'outside'].map(listed);
  const nodes = groups.filter((names) => names !== '').join(' ');
  const configuration = configurationOf(listed('voters'), listed('learners'), listed('observers'));
  const stage = new Stage({
    configuration,
    nodes,
    seed: Number(options.get('seed') ?? 1),
    settings: settingsOf(options),
    terms: Object.fromEntries(
      nodes.split(' ').map((name) => [name, numbersOf(options.get(`log.${name}`))]),
    ),
  });
  for (const name of nodes.split(' ')) setHardState(stage, name, options);
  return stage;
}

const numbersOf = (list: string | undefined): number[] =>
  list === undefined ? [] : list.split(',').map(Number);

function settingsOf(options: ReadonlyMap<string, string>): Partial<RaftSettings> {
  const names = {
    window: 'inflightMessagesMax',
    uncommitted: 'uncommittedBytesMax',
    /** Most bytes of entries in one message: 1 sends each entry alone. */
    bytes: 'appendBytesMax',
  };
  const settings: Record<string, number> = {};
  for (const [word, name] of Object.entries(names)) {
    const value = options.get(word);
    if (value !== undefined) settings[name] = Number(value);
  }
  return { ...settings, leaseReads: options.get('leases') === 'on' };
}

/** As if the node had been started before, and had come that far. */
function setHardState(stage: Stage, name: string, options: ReadonlyMap<string, string>): void {
  const term = options.get(`term.${name}`);
  const vote = options.get(`vote.${name}`);
  if (term === undefined && vote === undefined) return;
  const node = stage.node(name);
  node.crash();
  node.disk.hardState = {
    term: asTerm(Number(term ?? node.disk.hardState.term)),
    vote: vote === undefined ? null : peer(vote),
  };
  node.restart();
}
