import type { Ballot, DecideInput, Decision, KeyState, Member } from '../../../src/health/index.ts';
import { noActivity, noHold } from '../../../src/health/index.ts';
import { asNodeId, asRevision } from '../../../src/shared/index.ts';
import type { NodeId, Verdict } from '../../../src/shared/index.ts';

export const nodeName = (number: number): NodeId => asNodeId(`n${number}`);

/** Voters n1, n2, ... in the given zones. */
export const membersIn = (...zones: readonly string[]): readonly Member[] =>
  zones.map((zone, at) => ({ node: nodeName(at + 1), zone, role: 'voter' }));

export const noZones = (count: number): readonly Member[] =>
  membersIn(...Array.from({ length: count }, () => ''));

export const valueRevision = asRevision(40);

/** A fresh vote: its report was received at 1,000 ms and rests on revision 100. */
export function ballot(number: number, verdict: Verdict, difference: Partial<Ballot> = {}): Ballot {
  const report = { basis: asRevision(100), receivedAtMs: 1_000, freshSinceMs: 0, overdue: false };
  return { node: nodeName(number), verdict, valueRevision, samples: [], report, ...difference };
}

/** Fresh votes of n1, n2, ... */
export const ballots = (...verdicts: readonly Verdict[]): readonly Ballot[] =>
  verdicts.map((verdict, at) => ballot(at + 1, verdict));

export function keyState(difference: Partial<KeyState> = {}): KeyState {
  return {
    valueRevision,
    baseline: 'UP',
    empty: false,
    lastAvailabilityEvent: null,
    lastEmptinessEvent: null,
    ...difference,
  };
}

/** Three members without zones, baseline UP, nothing heard, hold 30 s, interval 60 s, at 1,000 ms. */
export function input(difference: Partial<DecideInput> = {}): DecideInput {
  return {
    nowMs: 1_000,
    self: { node: nodeName(1), abstains: false, stalledAtMs: null },
    key: keyState(),
    members: noZones(3),
    ballots: [],
    settings: {
      gossipQuorum: 'majority',
      minZones: 'auto',
      eventIntervalMs: 60_000,
      eventHoldMs: 30_000,
    },
    freshMs: 85_000,
    hold: noHold,
    activity: { availability: noActivity, emptiness: noActivity },
    ...difference,
  };
}

/** The same settings with other values. */
export const settings = (
  difference: Partial<DecideInput['settings']>,
): DecideInput['settings'] => ({ ...input().settings, ...difference });

/** `baseline UP`, `event UP>DOWN`, `waiting DOWN` or `none`. */
export function told(decision: Decision): string {
  switch (decision.kind) {
    case 'none':
      return 'none';
    case 'baseline':
    case 'waiting':
      return `${decision.kind} ${decision.to}`;
    case 'event':
      return `event ${decision.from}>${decision.to}`;
  }
}
