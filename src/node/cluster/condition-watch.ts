import type { Cancel, Clock, Logger } from '../../shared/index.ts';
import { codeOf, QuorateError } from '../../shared/index.ts';
import type { Files, LogUsage } from '../../storage/index.ts';
import type { Operation } from '../../store/index.ts';
import type { DigestMark, DiskRoom, Replica } from '../replica/index.ts';
import { roomOf } from '../replica/index.ts';
import { ConditionBook, hex } from './condition-book.ts';
import type { Condition } from './condition.ts';

const intervalMs = 1_000;

export interface ConditionWatchInit {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly files: Pick<Files, 'freeBytes'>;
  readonly dataDirectory: string;
  readonly segmentBytes: number;
  readonly logUsage: () => LogUsage;
  /** Fills up the log's spare segments where there is room for them. */
  readonly prepareSpares: () => void;
  /** Told once a second; has what can be spared deleted while there is not enough. */
  readonly onRoom: (room: DiskRoom) => void;
  readonly replica: Pick<Replica, 'self' | 'state' | 'marks' | 'mayDecide' | 'configuration'>;
  /** Nodes turned out to hold different states. */
  readonly onMismatch: () => void;
  /** Tells the leader; resolves with its verdict. */
  readonly report: (condition: Condition) => Promise<DigestMark | null>;
  readonly commit: (operation: Operation) => Promise<unknown>;
  readonly onFatal: (error: unknown) => void;
}

/**
 * Looks at the disk and at the state's digest once a second and tells the leader. On the leader: has
 * the cluster refuse puts while a voter's disk is nearly full.
 */
export class ConditionWatch {
  readonly #init: ConditionWatchInit;
  /** What others told this node while it led. */
  readonly book: ConditionBook;
  #cancel: Cancel = () => undefined;
  #stopped = false;
  #led = false;
  #freeBytes: number | null = null;
  #room: DiskRoom = 'enough';
  #said = '';

  constructor(init: ConditionWatchInit) {
    this.#init = init;
    this.book = new ConditionBook({
      ...init,
      configuration: () => init.replica.configuration,
    });
  }

  /** Bytes; null: not known yet. */
  get freeBytes(): number | null {
    return this.#freeBytes;
  }

  get isLow(): boolean {
    return this.#room !== 'enough';
  }

  start(): void {
    void this.#run();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  async #run(): Promise<void> {
    try {
      await this.#look();
      this.#sayIfChanged();
      await this.#report();
      await this.#decide();
    } catch (error) {
      this.#init.logger.debug({ error }, 'The condition of this node is told later');
    }
    if (!this.#stopped) this.#cancel = this.#init.clock.after(intervalMs, () => void this.#run());
  }

  async #look(): Promise<void> {
    const { files, dataDirectory, segmentBytes, logUsage, prepareSpares, onRoom } = this.#init;
    const freeBytes = await files.freeBytes(dataDirectory);
    this.#freeBytes = freeBytes;
    this.#room = roomOf({ freeBytes, usage: logUsage(), segmentBytes, before: this.#room });
    if (this.#stopped) return;
    prepareSpares();
    onRoom(this.#room);
  }

  async #report(): Promise<void> {
    const { replica, report } = this.#init;
    const condition = { peer: replica.self, isLow: this.isLow, mark: replica.marks.newest };
    const majority = await report(condition).catch((error: unknown) => {
      if (codeOf(error) === undefined) throw error;
      return null;
    });
    if (majority !== null && !this.#stopped) this.#onDifference(majority);
  }

  #onDifference({ index, digest }: DigestMark): void {
    const own = this.#init.replica.marks.at(index);
    if (own === null || own.digest === digest) return;
    const found = `its digest after entry ${index} is ${hex(own.digest)}, a majority has ${hex(digest)}`;
    const message = `Cannot go on with the state as a copy of the others': ${found}`;
    this.#init.onFatal(new QuorateError('STORAGE_DAMAGED', message));
  }

  async #decide(): Promise<void> {
    const { replica, commit } = this.#init;
    if (!replica.mayDecide) {
      this.#led = false;
      return;
    }
    if (!this.#led) this.book.begin();
    this.#led = true;
    const nodes = this.book.lackingSpace();
    if (nodes === null || nodes === replica.state.machine.noSpace) return;
    await commit({ kind: 'setNoSpace', nodes });
  }

  #sayIfChanged(): void {
    const { noSpace } = this.#init.replica.state.machine;
    if (noSpace === this.#said) return;
    this.#said = noSpace;
    const { logger } = this.#init;
    if (noSpace === '') logger.info({}, 'Disks have room again: values are taken');
    else
      logger.warn({ nodes: noSpace }, `Values are refused: too little disk is left on ${noSpace}`);
  }
}
