import { expect } from 'chai';
import { Awareness } from '../../../src/gossip/awareness.ts';
import {
  pushPullIntervalMs,
  suspicionBounds,
  suspicionTimeoutMs,
  transmitLimit,
} from '../../../src/gossip/formulas.ts';
import { gossipSettingsFor } from '../../../src/gossip/index.ts';

describe('formulas', () => {
  const lan = gossipSettingsFor('lan');

  it('suspicionTimeoutMs() among 50 falls from 40.8 s to 6.8 s with two confirmations', () => {
    const bounds = suspicionBounds(lan, 50);
    const seconds = [0, 1, 2, 3].map((count) => suspicionTimeoutMs(bounds, count) / 1_000);
    expect(seconds.map((one) => Math.round(one * 10) / 10)).to.deep.equal([40.8, 19.3, 6.8, 6.8]);
  });

  it('suspicionTimeoutMs() is the minimum at once when too few could confirm', () => {
    expect(suspicionTimeoutMs(suspicionBounds(lan, 3), 0)).to.equal(4_000);
    expect(suspicionTimeoutMs(suspicionBounds(lan, 4), 0)).to.equal(24_000);
  });

  it('transmitLimit() is 4, 8, 12 and 16 on a LAN', () => {
    expect([9, 10, 99, 100, 1_000].map((count) => transmitLimit(4, count))).to.deep.equal([
      4, 8, 8, 12, 16,
    ]);
  });

  it('pushPullIntervalMs() is stretched above 32 members', () => {
    expect([3, 32, 50, 100, 300, 1_000].map((count) => pushPullIntervalMs(1, count))).to.deep.equal(
      [1, 1, 2, 3, 5, 6],
    );
  });

  it('add() keeps the score between 0 and 7', () => {
    const awareness = new Awareness(8);
    awareness.add(-3);
    expect(awareness.scale(1_000)).to.equal(1_000);
    awareness.add(100);
    expect(awareness.scale(1_000)).to.equal(8_000);
  });

  it('gossipSettingsFor() presets keep the relations that the protocol needs', () => {
    for (const profile of ['lan', 'wan', 'local'] as const) {
      const settings = gossipSettingsFor(profile);
      expect(settings.probeTimeoutMs).to.be.at.most(settings.probeIntervalMs * 0.6);
      expect(settings.packetBytesMax).to.be.below(1_200 - 32);
      expect(settings.seedRetryMsMin).to.be.at.most(settings.seedRetryMsMax);
      expect(settings.gossipToTheDeadMs).to.be.below(settings.endedRetentionMs);
    }
  });
});
