import { expect } from 'chai';

import type { RaftDriver } from '../../../../src/node/replica/raft-driver.ts';
import type { AppendRequest } from '../../../../src/raft/index.ts';
import { asIndex, asTerm } from '../../../../src/shared/index.ts';
import { configurationOf, entry, peer } from '../../../contract/log-store-support.ts';
import { DriverStage, tickMs } from './driver-stage.ts';

/** From the leader n2 in term 1: the entry at `index`, and everything before it is committed. */
const append = (index: number): AppendRequest => ({
  kind: 'appendRequest',
  from: peer('n2'),
  to: peer('n1'),
  term: asTerm(1),
  previousIndex: asIndex(index - 1),
  previousTerm: asTerm(index > 1 ? 1 : 0),
  lastIndex: asIndex(index),
  entries: [entry(index, 1)],
  leaderCommit: asIndex(index - 1),
  readRound: 0,
});

describe('RaftDriver of a follower', () => {
  let stage: DriverStage;
  let driver: RaftDriver;

  beforeEach(async () => {
    stage = new DriverStage();
    driver = await stage.driver(configurationOf('n1', 'n2', 'n3'));
    driver.start();
    driver.receive([append(1)]);
    await stage.clock.advance(0);
    stage.deeds.length = 0;
  });

  afterEach(() => driver.stop());

  it('acknowledges what it wrote before it applies what that made known as committed', async () => {
    stage.hangs = true;
    driver.receive([append(2)]);
    await stage.clock.advance(0);
    expect(stage.deeds).to.deep.equal([]);
    stage.release();
    await stage.clock.advance(0);
    expect(stage.deeds).to.deep.equal(['appendResponse', 'apply 1']);
  });

  it('applies without its disk when that takes longer than a tick', async () => {
    stage.hangs = true;
    driver.receive([append(2)]);
    await stage.clock.advance(tickMs);
    expect(stage.deeds).to.deep.equal(['apply 1']);
    stage.release();
    await stage.clock.advance(0);
    expect(stage.deeds).to.deep.equal(['apply 1', 'appendResponse']);
  });

  it('applies at once while nothing is being written', () => {
    driver.receive([{ ...append(2), lastIndex: asIndex(1), entries: [] }]);
    expect(stage.deeds).to.include('apply 1');
  });
});
