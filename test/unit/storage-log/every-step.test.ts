import { expect } from 'chai';

import type { LogStore } from '../../../src/raft/index.ts';
import { seededRandom } from '../../../src/shared/index.ts';
import type { Random } from '../../../src/shared/index.ts';
import { createLog, MemoryDisk, openLog } from '../../../src/storage/index.ts';
import type { FileFault, FileOperation, LogSettings } from '../../../src/storage/index.ts';
import { identity, silentLogger as logger } from '../../contract/log-store-support.ts';
import { freshModel, randomStep, textOfLog, textOfModel } from './crash-model.ts';
import type { LogModel, LogStep } from './crash-model.ts';

const settings: LogSettings = {
  segmentBytes: 32 * 1024,
  recordBytesMax: 16 * 1024,
  spareSegments: 1,
};
const directory = '/log';
const stepsCount = 16;

/** How the power goes: what was not synced survives, is gone, or is torn; or only the process ends. */
type End = (disk: MemoryDisk) => void;
const ends: Readonly<Record<string, End>> = {
  'all of the cache survives': (disk) => disk.crash(fixed(0)),
  'nothing of the cache survives': (disk) => disk.crash(fixed(1)),
  'the cache is torn': (disk) => disk.crash(seededRandom(3)),
  'the process is killed': (disk) => disk.kill(),
};

/** Answers always the same. */
const fixed = (value: number): Random => ({
  ...seededRandom(1),
  intBelow: (bound) => Math.min(value, bound - 1),
});

/** The steps are the same in every run: writes that cut and split, compactions and an install. */
function planSteps(): readonly LogStep[] {
  const random = seededRandom(12);
  const steps: LogStep[] = [];
  let model = freshModel;
  for (let i = 0; i < stepsCount; i++) {
    const step = randomStep(model, random);
    steps.push(step);
    model = step.after;
  }
  return steps;
}

const steps = planSteps();

interface Run {
  readonly disk: MemoryDisk;
  /** What the log may hold; null: there is no log. */
  readonly allowed: () => readonly (LogModel | null)[];
  /** Operations of the file system that were begun. */
  readonly operations: number;
}

/** Runs the steps until operation number `last` has begun; every third write is a short one. */
async function runUntil(last: number): Promise<Run> {
  let operations = 0;
  let stop: () => void = () => undefined;
  const stopped = new Promise<void>((resolve) => (stop = resolve));
  const complete = (_: FileOperation, finish: () => void): void => {
    if (++operations >= last) stop();
    else queueMicrotask(finish);
  };
  const fault = ({ kind, bytes }: FileOperation): FileFault | null =>
    kind === 'write' && operations % 3 === 0 && bytes > 512
      ? { kind: 'short', bytes: Math.ceil(bytes / 2) }
      : null;
  const disk = new MemoryDisk({ complete, fault });
  let allowed: (LogModel | null)[] = [null, freshModel];
  const work = async (): Promise<void> => {
    const place = { files: disk.mount(), directory, settings, logger };
    const log = await createLog({ ...place, identity, base: freshModel.base, generation: 1 });
    allowed = [freshModel];
    for (const step of steps) {
      allowed = [allowed.at(-1) ?? null, ...step.between, step.after];
      await step.run(log);
      allowed = [step.after];
    }
    await log.close();
  };
  await Promise.race([work(), stopped]);
  const soFar = operations;
  operations = -Infinity; // From here on nothing stops.
  // Asked once the disk is dead: what runs beside the operation that stopped may still go on.
  return { disk, allowed: () => allowed, operations: soFar };
}

const open = (disk: MemoryDisk): Promise<LogStore | null> =>
  openLog({ files: disk.mount(), directory, settings, logger });

const textOf = async (log: LogStore | null): Promise<string | null> =>
  log === null ? null : textOfLog(log);

describe('SegmentedLog and a crash at every operation of the file system', () => {
  let total = 0;

  before(async () => {
    total = (await runUntil(Infinity)).operations;
    const kinds = new Set(steps.map(({ name }) => name.split(' ')[0]));
    expect([...kinds].sort()).to.deep.equal(['compact', 'install', 'write']);
    expect(total).to.be.greaterThan(60);
  });

  for (const [name, end] of Object.entries(ends)) {
    it(`openLog() finds all that was acknowledged when ${name}`, async function () {
      this.timeout(60_000);
      for (let last = 1; last <= total; last++) {
        const { disk, allowed } = await runUntil(last);
        end(disk);
        const texts = allowed().map((model) => model && textOfModel(model));
        const log = await open(disk);
        const found = await textOf(log);
        expect(texts, `operation ${last} of ${total}`).to.include(found);
        await log?.close();
        expect(await textOf(await open(disk)), `again after operation ${last}`).to.equal(found);
      }
    });
  }
});
