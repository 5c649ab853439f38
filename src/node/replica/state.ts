import type { RecoveredLog } from '../../raft/index.ts';
import type { Cancel, Clock } from '../../shared/index.ts';
import { QuorateError } from '../../shared/index.ts';
import type { KvFactory, SpoolableEngine } from '../../storage/index.ts';
import { openStateEngine, stateDirectory } from '../../storage/index.ts';
import { loadedRanges, StateMachine } from '../../store/index.ts';

/** The state machine and the rows below it; replaced as a whole by a snapshot install. */
export interface ReplicaState {
  readonly machine: StateMachine;
  readonly engine: SpoolableEngine;
}

export interface OpenStateInit {
  readonly kvFactory: KvFactory;
  readonly dataDirectory: string;
  readonly generation: number;
  readonly clock: Clock;
  readonly onFailure: (error: unknown) => void;
}

/** How long applied entries gather before they go to the engine's database together. */
const gatherMs = 500;

/** Opens `state-<generation>` and loads the state machine from its rows. */
export async function openState(init: OpenStateInit): Promise<ReplicaState> {
  const { kvFactory, dataDirectory, generation, clock, onFailure } = init;
  const directory = stateDirectory(dataDirectory, generation);
  const gather = (run: () => void): Cancel => clock.after(gatherMs, run);
  const engine = await openStateEngine({ kvFactory, directory, gather, onFailure });
  const machine = new StateMachine();
  try {
    await engine.load((row, value) => machine.load(row, value), loadedRanges);
    machine.finishLoad(engine.openedAtIndex);
    checkDigest(machine, engine);
  } catch (error) {
    await engine.close().catch(() => undefined); // The first error says more.
    throw error;
  }
  return { machine, engine };
}

/**
 * RocksDB skips a bad block of its write-ahead log without a word: the batches in it are gone, the
 * newer ones with the applied index are there.
 */
function checkDigest(
  machine: StateMachine,
  { openedAtIndex, openedDigest }: SpoolableEngine,
): void {
  const found = machine.digest();
  if (openedDigest === null || openedDigest === found) return;
  throw new QuorateError(
    'STORAGE_DAMAGED',
    `Cannot use the state at index ${openedAtIndex} as the one that was written: its rows have the ` +
      `digest ${hex(found)} in place of ${hex(openedDigest)}, so some of them are lost or outdated`,
  );
}

/**
 * The state must lie within what the log has: anything else is damage, not to be guessed about. Throws
 * STORAGE_DAMAGED, with the engine closed.
 */
export async function checkStateMeetsLog(state: ReplicaState, log: RecoveredLog): Promise<void> {
  const applied = state.engine.openedAtIndex;
  if (applied >= log.base.index && applied <= log.lastIndex) return;
  await state.engine.close();
  throw new QuorateError(
    'STORAGE_DAMAGED',
    `Cannot use the state at index ${applied} with a log of ${log.base.index + 1} to ${log.lastIndex}`,
  );
}

const hex = (digest: number): string => digest.toString(16).padStart(8, '0');
