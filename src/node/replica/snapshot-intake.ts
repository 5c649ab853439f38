import type { LogBase } from '../../raft/index.ts';
import type { ClusterId, PeerId, Term } from '../../shared/index.ts';
import { QuorateError } from '../../shared/index.ts';
import type {
  Files,
  SnapshotIdentity,
  SnapshotReceiver as SnapshotFile,
} from '../../storage/index.ts';
import { openSnapshotReceiver } from '../../storage/index.ts';
import type { SnapshotOffer, SnapshotReceiver } from '../../transport/index.ts';
import { decodeSnapshotIdentity } from './snapshot-offer.ts';

export interface SnapshotIntakeInit {
  readonly files: Files;
  readonly directory: string;
  readonly clusterId: ClusterId;
  /** A whole snapshot lies ready. */
  readonly onReceived: (received: ReceivedSnapshot) => void;
  readonly onFatal: (error: unknown) => void;
}

export interface ReceivedSnapshot {
  readonly from: PeerId;
  readonly term: Term;
  readonly base: LogBase;
  readonly path: string;
}

/** Takes one snapshot in at a time; what a broken transfer brought stays for the next one. */
export class SnapshotIntake {
  readonly #init: SnapshotIntakeInit;
  #busy = false;

  constructor(init: SnapshotIntakeInit) {
    this.#init = init;
  }

  /**
   * Rejects with PARAM_INVALID for an offer that contradicts itself, CONFLICT for a foreign cluster,
   * OVERLOADED while another one comes in.
   */
  async accept(from: PeerId, offer: SnapshotOffer): Promise<SnapshotReceiver> {
    const meta = decodeSnapshotIdentity(offer.header);
    checkOffer(offer, meta);
    if (meta.clusterId !== this.#init.clusterId) {
      throw new QuorateError('CONFLICT', 'Cannot take a snapshot of another cluster');
    }
    if (this.#busy) throw new QuorateError('OVERLOADED', 'Cannot take two snapshots at once');
    this.#busy = true;
    try {
      const { files, directory } = this.#init;
      const file = await openSnapshotReceiver({ files, directory, meta });
      return this.#receiver({ from, term: offer.term, base: meta.base }, file);
    } catch (error) {
      this.#busy = false;
      throw error;
    }
  }

  /** Runs `work` while nothing comes in, and lets nothing in meanwhile; not at all while something does. */
  async whileIdle(work: () => Promise<void>): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    try {
      await work();
    } finally {
      this.#busy = false;
    }
  }

  #receiver(what: Omit<ReceivedSnapshot, 'path'>, file: SnapshotFile): SnapshotReceiver {
    return {
      startAt: file.nextChunk,
      take: (number, chunk) => file.accept(number, chunk),
      finish: async () => {
        const path = await file.finish();
        this.#busy = false;
        this.#init.onReceived({ ...what, path });
      },
      abort: () => {
        file.close().then(() => (this.#busy = false), this.#init.onFatal);
      },
    };
  }
}

/** The stream counts chunks by the offer, the file by its header: only one of them can be right. */
function checkOffer({ chunkCount, resumeKey }: SnapshotOffer, meta: SnapshotIdentity): void {
  if (chunkCount !== meta.chunkCount) {
    const found = `${chunkCount} chunks are offered, its header says ${meta.chunkCount}`;
    throw new QuorateError('PARAM_INVALID', `Cannot take the snapshot as offered: ${found}`);
  }
  if (resumeKey !== meta.hash) {
    const found = 'its key is not the hash in its header';
    throw new QuorateError('PARAM_INVALID', `Cannot take the snapshot as offered: ${found}`);
  }
}
