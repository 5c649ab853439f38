import { expect } from 'chai';

import { Replica, replicaSettingsFor } from '../../../../src/node/replica/index.ts';
import { seededRandom } from '../../../../src/shared/index.ts';
import { createLog, MemoryDisk, MemoryKvDisk } from '../../../../src/storage/index.ts';
import { emptyBase, identity, smallSettings } from '../../../contract/log-store-support.ts';
import { VirtualClock } from '../../../support/virtual-clock.ts';
import { LinesLogger } from '../support.ts';

describe('Replica and the room on its disk', () => {
  it('deletes an unfinished snapshot of its own at start, and all of them when told of little room', async () => {
    const files = new MemoryDisk().mount();
    for (const path of ['/data', '/data/snapshots']) await files.makeDirectory(path);
    for (const name of ['snapshot-9-3.qs.spool', 'incoming-1.part', 'snapshot-8-3.qs']) {
      await files.open(`/data/snapshots/${name}`, 'plain').then((file) => file.close());
    }
    const logger = new LinesLogger();
    const place = { files, directory: '/data/log', settings: smallSettings, logger };
    const replica = await Replica.open({
      files,
      kvFactory: new MemoryKvDisk().mount(),
      clock: new VirtualClock(),
      random: seededRandom(1),
      logger,
      transport: null as never,
      dataDirectory: '/data',
      log: await createLog({ ...place, identity, base: emptyBase, generation: 0 }),
      settings: replicaSettingsFor('local'),
      events: {
        onNotices: () => undefined,
        onRoleChange: () => undefined,
        onConfiguration: () => undefined,
        onStateReplaced: () => undefined,
        onFatal: (error) => {
          throw error;
        },
      },
    });
    const left = async (): Promise<readonly string[]> => {
      for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
      return (await files.list('/data/snapshots')) ?? [];
    };
    expect(await left()).to.deep.equal(['incoming-1.part', 'snapshot-8-3.qs']);
    replica.onRoom('enough');
    expect(await left()).to.have.length(2);
    replica.onRoom('low');
    expect(await left()).to.deep.equal([]);
    await replica.stop();
  });
});
