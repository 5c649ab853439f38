import { expect } from 'chai';
import { parseConfig } from '../../../../src/config/index.ts';
import { settingsFrom } from '../../../../src/node/cluster/own-settings.ts';
import { Upkeep } from '../../../../src/node/cluster/upkeep.ts';
import { QuorateError } from '../../../../src/shared/index.ts';
import { configurationOf, member, peer } from '../../../support/raft-fixtures.ts';
import { VirtualClock } from '../../../support/virtual-clock.ts';
import { LinesLogger } from '../support.ts';

/** A member that is listed at another address than its own; the test plays the leader. */
class Stage {
  readonly clock = new VirtualClock();
  readonly logger = new LinesLogger();
  configuration = configurationOf('a b');
  updates = 0;
  answer: () => Promise<void> = () => Promise.resolve();
  readonly upkeep: Upkeep;

  constructor() {
    const config = parseConfig({
      flags: { node: 'a', dataDir: '/none' },
      environment: {},
      file: {},
      isTerminal: false,
    });
    this.upkeep = new Upkeep({
      config,
      clock: this.clock,
      logger: this.logger,
      replica: this.#replica(settingsFrom(config)),
      self: member('a', 'voter', 'moved'),
      commit: () => Promise.resolve(),
      update: () => {
        this.updates++;
        return this.answer();
      },
      tellRemoved: () => undefined,
      onLive: () => undefined,
    });
  }

  #replica(settings: ReturnType<typeof settingsFrom>) {
    const configuration = () => this.configuration;
    return {
      self: peer('a'),
      mayDecide: false,
      readBarrier: () => Promise.resolve(),
      state: { machine: { settings } },
      get configuration() {
        return configuration();
      },
    };
  }

  get said(): readonly string[] {
    return [...this.logger.at('warn'), ...this.logger.at('info')];
  }
}

const clash = (owner: string): (() => Promise<void>) => {
  const message = `Cannot update a@1 to addresses of its own: raftAddress moved:1 belongs to ${owner}`;
  return () => Promise.reject(new QuorateError('CONFLICT', message));
};

describe('Upkeep', () => {
  it('warns once for each reason why its addresses are refused, and says when that ends', async () => {
    const stage = new Stage();
    stage.answer = clash('b');
    stage.upkeep.start();
    await stage.clock.advance(5_500);
    expect(stage.updates).to.equal(5);
    expect(stage.said).to.have.lengthOf(1);
    expect(stage.said[0]).to.match(/raftAddress moved:1 belongs to b$/);
    stage.answer = clash('c');
    await stage.clock.advance(3_000);
    expect(stage.said).to.have.lengthOf(2);
    stage.configuration = { ...stage.configuration, members: [member('a', 'voter', 'moved')] };
    await stage.clock.advance(3_000);
    expect(stage.said.slice(2)).to.deep.equal([
      'The cluster lists this node at its addresses again',
    ]);
    stage.upkeep.stop();
  });

  it('says nothing while there is no leader to tell its addresses to', async () => {
    const stage = new Stage();
    stage.answer = () => Promise.reject(new QuorateError('NO_LEADER', 'no leader is known'));
    stage.upkeep.start();
    await stage.clock.advance(3_500);
    expect(stage.updates).to.equal(3);
    expect(stage.said).to.deep.equal([]);
    stage.upkeep.stop();
  });
});
