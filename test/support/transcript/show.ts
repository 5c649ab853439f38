import type { Entry } from '../../../src/raft/index.ts';
import type { RaftNode } from '../raft-node.ts';
import type { Stage } from './stage.ts';
import { configurationWords, nameOf } from './words.ts';

/** A line on one node: `a  leads 2  log 1-3@1 4@2 (durable 3)  commit 3  voters a b c`. */
export function showNode(stage: Stage, node: RaftNode): void {
  const name = nameOf(node.id);
  if (node.isDown) {
    const { term, vote } = node.disk.hardState;
    const voted = vote === null ? '' : `, vote for ${nameOf(vote)}`;
    stage.say(`${name} is down  term ${term}${voted}  log ${runsOf(node.disk.entries)}`);
    return;
  }
  const { role, term, leader, commitIndex, configuration, lastIndex, firstIndex } = node.view;
  const durable = node.disk.entries.at(-1)?.index ?? node.disk.base.index;
  const base = firstIndex > 1 ? `snapshot to ${firstIndex - 1}, ` : '';
  const unwritten = node.writes.length > 0 ? ` (disk ${durable} of ${lastIndex})` : '';
  const what =
    role === 'follower' ? `follows ${leader === null ? 'nobody' : nameOf(leader)}` : role;
  const members = configurationWords(configuration.configuration);
  const log = `${base}${runsOf(node.memory)}${unwritten}`;
  stage.say(`${name} ${what}  term ${term}  log ${log}  commit ${commitIndex}  voters ${members}`);
}

/** `1-3@1 4@2`: indexes by term. */
function runsOf(entries: readonly Entry[]): string {
  const runs: { from: number; to: number; term: number }[] = [];
  for (const { index, term } of entries) {
    const run = runs.at(-1);
    if (run?.term === term) run.to = index;
    else runs.push({ from: index, to: index, term });
  }
  if (runs.length === 0) return 'empty';
  return runs
    .map(({ from, to, term }) => `${from === to ? from : `${from}-${to}`}@${term}`)
    .join(' ');
}

export function showPeers(stage: Stage, node: RaftNode): void {
  for (const { peer, matchIndex, state } of node.view.peers) {
    stage.say(`${nameOf(peer)}: ${state}, holds ${matchIndex}`);
  }
}

export function showNetwork(stage: Stage): void {
  const lines = (messages: typeof stage.held, note: string): void => {
    for (const message of messages) {
      const way = `${nameOf(message.from)} -> ${nameOf(message.to)}`;
      stage.say(`${way}  ${stage.sayingOf(message)}${note}`);
    }
  };
  lines(stage.cluster.network, '');
  lines(stage.held, ' (held)');
}
