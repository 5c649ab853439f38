import { expect } from 'chai';

import { EntryCache } from '../../../../src/node/replica/entry-cache.ts';
import { RaftDriver } from '../../../../src/node/replica/raft-driver.ts';
import { coreFrom } from '../../../../src/node/replica/recovered-core.ts';
import { replicaSettingsFor } from '../../../../src/node/replica/index.ts';
import { asIndex, seededRandom } from '../../../../src/shared/index.ts';
import { createLog, MemoryDisk } from '../../../../src/storage/index.ts';
import type { FileOperation } from '../../../../src/storage/index.ts';
import {
  baseAt,
  configurationOf,
  identity,
  smallSettings,
} from '../../../contract/log-store-support.ts';
import { VirtualClock } from '../../../support/virtual-clock.ts';
import { LinesLogger } from '../support.ts';

const tickMs = 20;
const diskStallMs = 500;
const nothing = (): void => undefined;

/** A node alone on a disk whose writes can be held back. */
class Stage {
  readonly clock = new VirtualClock();
  readonly logger = new LinesLogger();
  readonly held: (() => void)[] = [];
  hangs = false;
  readonly disk = new MemoryDisk({
    complete: ({ kind }: FileOperation, finish: () => void) => {
      if (this.hangs && kind === 'write') this.held.push(finish);
      else queueMicrotask(finish);
    },
  });

  async driver(): Promise<RaftDriver> {
    const { clock, logger } = this;
    const base = baseAt(0, 0, { index: asIndex(0), configuration: configurationOf('n1') });
    const place = { files: this.disk.mount(), directory: '/log', settings: smallSettings, logger };
    const log = await createLog({ ...place, identity, base, generation: 1 });
    const settings = replicaSettingsFor('local');
    const core = coreFrom({ log, settings, random: seededRandom(1) }, asIndex(0));
    return new RaftDriver({
      ...{ core, log, clock, logger, tickMs, diskStallMs },
      cache: new EntryCache(1 << 20),
      transport: { send: nothing, setPeers: nothing },
      onWritten: nothing,
      events: {
        ...{ onReadyToApply: nothing, onRoleChange: nothing, onConfiguration: nothing },
        ...{ onSendSnapshot: nothing, onInstallSnapshot: nothing, onDropSnapshot: nothing },
        onDiskIdle: nothing,
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

describe('RaftDriver on a disk that hangs', () => {
  it('leads no longer after diskStallMs, does not stand while it lasts, and leads again after it', async () => {
    const stage = new Stage();
    const driver = await stage.driver();
    driver.start();
    await stage.pass(2_000);
    expect(driver.view.role).to.equal('leader');
    stage.hangs = true;
    const proposal = { tag: driver.tag(nothing), payload: Uint8Array.of(1) };
    driver.submit({ kind: 'propose', proposals: [proposal] });
    await stage.pass(diskStallMs - 2 * tickMs);
    expect(driver).to.include({ isDiskStalled: false });
    expect(driver.view.role).to.equal('leader');
    await stage.pass(4 * tickMs);
    expect(driver).to.include({ isDiskStalled: true });
    const { term } = driver.view;
    await stage.pass(5_000);
    expect(driver.view).to.include({ role: 'follower', term });
    expect(stage.said).to.contain('The disk hangs');
    stage.release();
    await stage.pass(3_000);
    expect(driver).to.include({ isDiskStalled: false });
    expect(driver.view.role).to.equal('leader');
    expect(stage.said).to.contain('The disk answers again');
  });
});
