import type { Clock } from '../../shared/index.ts';
import { pause, QuorateError } from '../../shared/index.ts';
import type { Replica, ReplicaState } from '../replica/index.ts';

/** Whose state is read, and until when (by the clock's monotonic time) a read may wait for it. */
export interface StateReader {
  readonly replica: Pick<Replica, 'state' | 'isReplacingState'>;
  readonly clock: Clock;
  readonly deadlineMs: number;
}

const pollMs = 50;

/**
 * What `read` finds in the state; in the new one when a snapshot replaces the state below it, which
 * ends whatever reads the old one. Rejects as `read` does, and with OVERLOADED when the new state is
 * not there in time.
 */
export async function readState<T>(
  reader: StateReader,
  read: (state: ReplicaState) => Promise<T>,
): Promise<T> {
  for (;;) {
    const { state } = reader.replica;
    try {
      return await read(state);
    } catch (error) {
      await replacementOf(state, reader);
      if (reader.replica.state === state) throw error;
    }
  }
}

/** Resolves at once when nothing takes the place of `state`. */
async function replacementOf(state: ReplicaState, reader: StateReader): Promise<void> {
  const { replica, clock, deadlineMs } = reader;
  while (replica.state === state && replica.isReplacingState) {
    if (clock.monotonicMs() >= deadlineMs) {
      const message = 'Cannot read: a snapshot is being installed, ask again in some seconds';
      throw new QuorateError('OVERLOADED', message);
    }
    await pause(clock, pollMs);
  }
}
