import { RaftCore } from '../../src/raft/index.ts';
import type {
  Configuration,
  HardState,
  PeerView,
  RaftMessage,
  RaftOutput,
  RaftSettings,
} from '../../src/raft/index.ts';
import { asTerm, assert, seededRandom, utf8 } from '../../src/shared/index.ts';
import { configurationOf, initOf, peer } from './raft-fixtures.ts';
import { acknowledge, messagesOf, persistAll, receive, tickUntil } from './raft-messages.ts';

/** One core, named a, brought into a role by hand-made messages; b, c... exist as names only. */
export interface RoleOptions {
  readonly configuration?: Configuration;
  /** Terms of the entries that its log begins with. */
  readonly terms?: readonly number[];
  readonly hardState?: { readonly term: number; readonly vote: string | null };
  readonly settings?: Partial<RaftSettings>;
  readonly applied?: number;
  readonly seed?: number;
}

export const threeVoters = configurationOf('a b c');
export const fiveVoters = configurationOf('a b c d e');

export function coreOf(options: RoleOptions = {}): RaftCore {
  const { configuration = threeVoters, seed = 1, hardState, ...rest } = options;
  const init = initOf('a', configuration, {
    ...rest,
    ...(hardState && { hardState: hardStateOf(hardState) }),
  });
  return new RaftCore(init, seededRandom(seed));
}

const hardStateOf = ({ term, vote }: NonNullable<RoleOptions['hardState']>): HardState => ({
  term: asTerm(term),
  vote: vote === null ? null : peer(vote),
});

export const tick = (core: RaftCore, elapsedMs: number): RaftOutput =>
  core.step({ kind: 'tick', elapsedMs });

/** Lets `durationMs` pass in ticks of 10 ms; returns every output. */
export function wait(core: RaftCore, durationMs: number): RaftOutput[] {
  return Array.from({ length: durationMs / 10 }, () => tick(core, 10));
}

/** Waits for a timeout, wins the pre-vote, and returns the output that began the campaign. */
export function beginCampaign(core: RaftCore): RaftOutput {
  const asked = tickUntil(core, ({ change }) => change?.role === 'preCandidate');
  return answerVotes(core, messagesOf(asked, 'voteRequest'));
}

/** A campaign in the next term whose own vote is durable. */
export function candidateOf(options: RoleOptions = {}): RaftCore {
  const core = coreOf(options);
  persistAll(core, beginCampaign(core));
  assert(core.view.role === 'candidate', 'a must be a candidate');
  return core;
}

/** Makes `core` the leader of the next term; returns the output of the step that did it. */
export function win(core: RaftCore): RaftOutput {
  const begun = beginCampaign(core);
  persistAll(core, begun);
  const led = answerVotes(core, messagesOf(begun, 'voteRequest'));
  assert(core.view.role === 'leader', 'a must lead');
  return led;
}

/** Leads the next term; its no-op is durable here and acknowledged by nobody. */
export function leaderOf(options: RoleOptions = {}): RaftCore {
  const core = coreOf(options);
  persistAll(core, win(core));
  return core;
}

/** Leads the next term; b and c (where they are members) hold its no-op. */
export function readyLeaderOf(options: RoleOptions = {}): RaftCore {
  const core = leaderOf(options);
  const { term, lastIndex } = core.view;
  for (const from of ['b', 'c']) receive(core, acknowledge({ from, to: 'a', term }, lastIndex));
  assert(core.view.leaderReady, 'a must be ready');
  return core;
}

/** Says yes for everybody who is asked, until the campaign takes its next step. */
function answerVotes(core: RaftCore, requests: readonly RaftMessage[]): RaftOutput {
  const { role } = core.view;
  for (const request of requests) {
    if (request.kind !== 'voteRequest') continue;
    const { from, to, term, preVote } = request;
    const answer = { from: to, to: from, term, preVote, granted: true };
    const output = receive(core, { kind: 'voteResponse', ...answer });
    if (core.view.role !== role) return output;
  }
  throw new Error(`${role} did not win`);
}

export const propose = (core: RaftCore, ...texts: string[]): RaftOutput =>
  core.step({
    kind: 'propose',
    proposals: texts.map((text, position) => ({ tag: position + 1, payload: utf8(text) })),
  });

export function progressOf(core: RaftCore, name: string): PeerView {
  const view = core.view.peers.find((each) => each.peer === peer(name));
  assert(view !== undefined, `${name} must be followed`);
  return view;
}

/** Where appends to `to` begin and end: [previousIndex, lastIndex]. */
export const appendsTo = (output: RaftOutput, to: string): [previous: number, last: number][] =>
  messagesOf(output, 'appendRequest')
    .filter((message) => message.to === peer(to))
    .map(({ previousIndex, lastIndex }) => [previousIndex, lastIndex]);
