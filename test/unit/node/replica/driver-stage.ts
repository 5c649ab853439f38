import { EntryCache } from '../../../../src/node/replica/entry-cache.ts';
import { replicaSettingsFor } from '../../../../src/node/replica/index.ts';
import { RaftDriver } from '../../../../src/node/replica/raft-driver.ts';
import { coreFrom } from '../../../../src/node/replica/recovered-core.ts';
import type { Configuration } from '../../../../src/raft/index.ts';
import { asIndex, seededRandom } from '../../../../src/shared/index.ts';
import { createLog, MemoryDisk } from '../../../../src/storage/index.ts';
import type { FileOperation } from '../../../../src/storage/index.ts';
import { baseAt, identity, smallSettings } from '../../../contract/log-store-support.ts';
import { VirtualClock } from '../../../support/virtual-clock.ts';
import { LinesLogger } from '../support.ts';

export const tickMs = 20;
export const diskStallMs = 500;
export const nothing = (): void => undefined;

/** The node n1 on a disk whose writes can be held back. */
export class DriverStage {
  readonly clock = new VirtualClock();
  readonly logger = new LinesLogger();
  /** What it did, in order: kinds of messages sent, and `apply <index>`. */
  readonly deeds: string[] = [];
  readonly held: (() => void)[] = [];
  hangs = false;
  readonly disk = new MemoryDisk({
    complete: ({ kind }: FileOperation, finish: () => void) => {
      if (this.hangs && kind === 'write') this.held.push(finish);
      else queueMicrotask(finish);
    },
  });

  async driver(configuration: Configuration): Promise<RaftDriver> {
    const { clock, logger, deeds } = this;
    const base = baseAt(0, 0, { index: asIndex(0), configuration });
    const place = { files: this.disk.mount(), directory: '/log', settings: smallSettings, logger };
    const log = await createLog({ ...place, identity, base, generation: 1 });
    const settings = replicaSettingsFor('local');
    const core = coreFrom({ log, settings, random: seededRandom(1) }, asIndex(0));
    return new RaftDriver({
      ...{ core, log, clock, logger, tickMs, diskStallMs },
      cache: new EntryCache(1 << 20),
      transport: { send: ({ kind }) => deeds.push(kind), setPeers: nothing },
      onWritten: nothing,
      events: {
        ...{ onRoleChange: nothing, onConfiguration: nothing, onDiskIdle: nothing },
        ...{ onSendSnapshot: nothing, onInstallSnapshot: nothing, onDropSnapshot: nothing },
        onReadyToApply: (index) => deeds.push(`apply ${index}`),
        onFatal: (error) => {
          throw error;
        },
      },
    });
  }

  /** Lets virtual time pass, tick by tick, with what the disk does in between. */
  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += tickMs) {
      await this.clock.advance(tickMs);
      for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  get said(): string {
    return this.logger.lines.map(({ message }) => message).join('\n');
  }

  release(): void {
    this.hangs = false;
    for (const finish of this.held.splice(0)) finish();
  }
}
