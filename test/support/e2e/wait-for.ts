import { setTimeout as delay } from 'node:timers/promises';

const pollMs = 50;

/** Generous: a busy machine is slow, and only a failure waits for it. */
const deadlineMsDefault = 60_000;

/**
 * Asks until the answer is neither undefined, null nor false, and returns it. A probe that throws (an
 * assertion, a refused connection) is asked again; the last error is told when the time is up.
 */
export async function waitFor<T>(
  what: string,
  probe: () => Promise<T | undefined | null | false> | T | undefined | null | false,
  deadlineMs = deadlineMsDefault,
): Promise<T> {
  const untilMs = performance.now() + deadlineMs;
  let lastError: unknown = null;
  for (;;) {
    try {
      const seen = await probe();
      if (seen !== undefined && seen !== null && seen !== false) return seen;
      lastError = null;
    } catch (error) {
      lastError = error;
    }
    if (performance.now() >= untilMs) {
      const found = lastError instanceof Error ? lastError.message : 'it was not so';
      throw new Error(`Cannot see that ${what} within ${deadlineMs} ms: ${found}`, {
        cause: lastError,
      });
    }
    await delay(pollMs);
  }
}
