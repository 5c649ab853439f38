import { expect } from 'chai';

import type { LogStore } from '../../../src/raft/index.ts';
import { codeOf, seededRandom } from '../../../src/shared/index.ts';
import type { Random } from '../../../src/shared/index.ts';
import { createLog, MemoryDisk, openLog } from '../../../src/storage/index.ts';
import type { FileFault, FileOperation, Files, LogSettings } from '../../../src/storage/index.ts';
import { identity, silentLogger } from '../../contract/log-store-support.ts';
import { freshModel, randomStep, textOfLog, textOfModel } from './crash-model.ts';
import type { LogModel } from './crash-model.ts';

const settings: LogSettings = {
  segmentBytes: 48 * 1024,
  recordBytesMax: 16 * 1024,
  spareSegments: 1,
};

/** What must have happened over all seeds, or the test proves nothing. */
const seen = {
  tornTails: 0,
  unfinishedSteps: 0,
  finishedAnyway: 0,
  partialBatches: 0,
  failedWrites: 0,
  failedOpens: 0,
  interruptedOpens: 0,
  segmentsCrossed: 0,
};

/** A process on a disk that stops at a random operation, by power loss or kill. */
class Lives {
  readonly random: Random;
  readonly disk: MemoryDisk;
  #operationsLeft = 0;
  #faultOdds = 0;
  #stop: () => void = () => undefined;
  /** What the log may hold: one state, or several while a call is under way. Null: no log. */
  allowed: (LogModel | null)[] = [null];
  #trail: string[] = [];

  constructor(seed: number) {
    this.random = seededRandom(seed);
    this.disk = new MemoryDisk({
      fault: (operation) => this.#fault(operation),
      complete: (operation, finish) => this.#complete(operation, finish),
    });
  }

  async live(): Promise<void> {
    const long = this.random.intBelow(3) === 0 ? 400 : 60;
    this.#operationsLeft = 1 + this.random.intBelow(long);
    this.#faultOdds = this.random.intBelow(3) === 0 ? 60 : 0;
    this.#trail = [];
    const stopped = new Promise<void>((resolve) => (this.#stop = resolve));
    await Promise.race([this.#process(this.disk.mount()), stopped]);
    if (this.random.intBelow(4) === 0) this.disk.kill();
    else this.disk.crash(this.random);
    if (this.#trail.length === 0) seen.interruptedOpens++;
    else if (this.allowed.length > 1) seen.unfinishedSteps++;
  }

  /** Opens with all the time it needs and checks what is found. */
  async verify(): Promise<void> {
    this.#operationsLeft = Infinity;
    this.#faultOdds = 0;
    await this.#open(this.disk.mount());
  }

  async #process(files: Files): Promise<void> {
    let log: LogStore;
    try {
      log = await this.#open(files);
    } catch (error) {
      if (codeOf(error) !== 'STORAGE_FAILED') throw error;
      seen.failedOpens++;
      return;
    }
    let model = this.allowed[0] ?? freshModel;
    for (;;) {
      const step = randomStep(model, this.random);
      this.#trail.push(step.name);
      this.allowed = [model, ...step.between, step.after];
      try {
        await step.run(log);
      } catch (error) {
        expect(codeOf(error), String(error)).to.equal('STORAGE_FAILED');
        const again = await log.write({ sequence: 1, entries: [] }).catch(codeOf);
        expect(again, 'a later write').to.equal('STORAGE_FAILED');
        seen.failedWrites++;
        return;
      }
      this.allowed = [(model = step.after)];
    }
  }

  async #open(files: Files): Promise<LogStore> {
    const place = { files, directory: '/log', settings, logger: this.#logger };
    const found = await openLog(place);
    const text = found && (await textOfLog(found));
    const index = this.allowed.findIndex((model) => (model && textOfModel(model)) === text);
    if (index < 0) expect(text).to.equal(this.allowed.map((m) => m && textOfModel(m)).join(' | '));
    if (index > 0 && index === this.allowed.length - 1) seen.finishedAnyway++;
    else if (index > 0) seen.partialBatches++;
    this.allowed = [this.allowed[index] ?? null];
    if (found) return found;
    this.allowed = [null, freshModel];
    const log = await createLog({ ...place, identity, base: freshModel.base, generation: 1 });
    this.allowed = [freshModel];
    return log;
  }

  readonly #logger = {
    ...silentLogger,
    warn: (_fields: unknown, message: string) => {
      if (message.includes('incomplete')) seen.tornTails++;
    },
  };

  #fault({ kind, bytes }: FileOperation): FileFault | null {
    if (kind === 'write' && bytes > 1 && this.random.intBelow(4) === 0) {
      return { kind: 'short', bytes: 1 + this.random.intBelow(bytes) };
    }
    if (this.#faultOdds === 0 || this.random.intBelow(this.#faultOdds) > 0) return null;
    return { kind: 'error', code: 'EIO', bytes: this.random.intBelow(bytes + 1) };
  }

  #complete({ kind }: FileOperation, finish: () => void): void {
    if (kind === 'remove') seen.segmentsCrossed++;
    if (this.#operationsLeft-- <= 0) this.#stop();
    else if (this.random.intBelow(10) === 0) setImmediate(finish);
    else queueMicrotask(finish);
  }
}

describe('SegmentedLog after crashes', () => {
  const seeds = Number(process.env['QUORATE_LOG_SEEDS'] ?? 100);

  for (let part = 0; part < 10; part++) {
    it(`openLog() finds all that was acknowledged and nothing else (part ${part})`, async function () {
      this.timeout(120_000);
      for (let seed = part; seed < seeds; seed += 10) {
        const lives = new Lives(seed);
        try {
          for (let life = 0; life < 12; life++) await lives.live();
          await lives.verify();
        } catch (error) {
          throw new Error(`seed ${seed}`, { cause: error });
        }
      }
    });
  }

  it('met every situation that it claims to survive', () => {
    for (const [situation, times] of Object.entries(seen)) {
      expect(times, situation).to.be.greaterThan(0);
    }
  });
});
