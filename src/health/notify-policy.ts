/** How one run of the notification script ended. */
export interface AttemptEnd {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly timedOut: boolean;
}

export type AttemptOutcome =
  | { readonly outcome: 'done'; readonly reason: string }
  | { readonly outcome: 'failed'; readonly reason: string }
  | { readonly outcome: 'retry'; readonly reason: string; readonly retryInMs: number };

/** A script that exits with this gives up. */
const giveUpExitCode = 100;
const retryMsMin = 5_000;
const retryMsMax = 60_000;

/** Wait after attempt `attempt` (1, 2, ...): 5 s, doubling to 60 s. */
export function retryDelayMs(attempt: number): number {
  const doublings = Math.min(Math.max(attempt, 1) - 1, 10);
  return Math.min(retryMsMax, retryMsMin * 2 ** doublings);
}

function endText({ exitCode, signal, timedOut }: AttemptEnd): string {
  if (timedOut) return 'it ran into its timeout';
  if (signal !== null) return `it was ended by ${signal}`;
  return exitCode === null ? 'it could not be run to its end' : `it exited with ${exitCode}`;
}

/**
 * What follows from attempt number `attempt` (1 is the first) when at most `attemptsMax` may run:
 * 0 is done, 100 gives up, anything else is tried again while attempts are left.
 */
export function judgeAttempt(
  end: AttemptEnd,
  attempt: number,
  attemptsMax: number,
): AttemptOutcome {
  const reason = endText(end);
  const exited = !end.timedOut && end.signal === null;
  if (exited && end.exitCode === 0) return { outcome: 'done', reason };
  if (exited && end.exitCode === giveUpExitCode) {
    return { outcome: 'failed', reason: `${reason}, which gives up` };
  }
  if (attempt >= attemptsMax) {
    return { outcome: 'failed', reason: `${reason}, the last of ${attempt} attempts` };
  }
  return { outcome: 'retry', reason, retryInMs: retryDelayMs(attempt) };
}
