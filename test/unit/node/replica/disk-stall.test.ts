import { expect } from 'chai';

import { configurationOf } from '../../../contract/log-store-support.ts';
import { diskStallMs, DriverStage, nothing, tickMs } from './driver-stage.ts';

describe('RaftDriver on a disk that hangs', () => {
  it('leads no longer after diskStallMs, does not stand while it lasts, and leads again after it', async () => {
    const stage = new DriverStage();
    const driver = await stage.driver(configurationOf('n1'));
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
