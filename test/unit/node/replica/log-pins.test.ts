import { expect } from 'chai';

import type { PinView } from '../../../../src/node/replica/log-pins.ts';
import { LogPins } from '../../../../src/node/replica/log-pins.ts';
import { asIndex, asPeerId } from '../../../../src/shared/index.ts';
import type { LogIndex, PeerId } from '../../../../src/shared/index.ts';

const minuteMs = 60_000;
const first = asPeerId('n2@aa01');
const second = asPeerId('n3@aa01');

/** As a leader whose log ends at 900 sees peers that hold entries up to these. */
function seen(matchIndexes: readonly number[], sending: readonly PeerId[] = []): PinView {
  const names = [first, second];
  const peers = matchIndexes.map((matchIndex, i) => ({
    peer: names[i] ?? first,
    matchIndex: asIndex(matchIndex),
    state: 'snapshot' as const,
    silentMs: 0,
  }));
  return { peers, lastIndex: asIndex(900), sending: new Set(sending) };
}

const chunk = (number: number, snapshot = 500): { snapshot: LogIndex; number: number } => ({
  snapshot: asIndex(snapshot),
  number,
});

describe('LogPins', () => {
  let pins: LogPins;

  beforeEach(() => {
    pins = new LogPins();
    pins.pin(first, asIndex(500), 0);
  });

  it('gives a pin up after 10 minutes without progress', () => {
    expect(pins.lowest(seen([0]), 10 * minuteMs - 1)).to.equal(500);
    expect(pins.lowest(seen([0]), 10 * minuteMs)).to.equal(null);
  });

  it('does not take another attempt for progress', () => {
    for (let minute = 1; minute < 10; minute++) pins.pin(first, asIndex(500), minute * minuteMs);
    expect(pins.lowest(seen([0]), 10 * minuteMs)).to.equal(null);
  });

  it('gives a pin up at a check, however soon before it the peer was tried again', () => {
    pins.pin(first, asIndex(500), 11 * minuteMs);
    expect(pins.lowest(seen([0]), 11 * minuteMs)).to.equal(null);
    pins.pin(first, asIndex(600), 11 * minuteMs);
    expect(pins.lowest(seen([0]), 12 * minuteMs)).to.equal(600);
  });

  it('takes a chunk for progress that no attempt has got to', () => {
    pins.moved(first, chunk(7), 9 * minuteMs);
    expect(pins.lowest(seen([0]), 18 * minuteMs)).to.equal(500);
    expect(pins.lowest(seen([0]), 19 * minuteMs)).to.equal(null);
  });

  it('does not take chunks that are read again for progress', () => {
    pins.moved(first, chunk(7), 0);
    pins.pin(first, asIndex(500), 9 * minuteMs);
    for (const number of [6, 7]) pins.moved(first, chunk(number), 9 * minuteMs);
    expect(pins.lowest(seen([0]), 10 * minuteMs)).to.equal(null);
  });

  it('takes the first chunk of the next snapshot for progress', () => {
    pins.moved(first, chunk(7), 0);
    pins.moved(first, chunk(0, 600), 9 * minuteMs);
    expect(pins.lowest(seen([0]), 10 * minuteMs)).to.equal(600);
  });

  it('pins again for a transfer that gets on after it was given up', () => {
    expect(pins.lowest(seen([0]), 10 * minuteMs)).to.equal(null);
    pins.moved(first, chunk(3), 10 * minuteMs);
    expect(pins.lowest(seen([0]), 11 * minuteMs)).to.equal(500);
  });

  it('lets a pin go up with what the peer takes from the log, and ends it where it caught up', () => {
    pins.arrived(first, asIndex(800), 0);
    expect(pins.lowest(seen([500]), 1)).to.equal(500);
    expect(pins.lowest(seen([700]), 9 * minuteMs)).to.equal(700);
    expect(pins.lowest(seen([750]), 18 * minuteMs)).to.equal(750);
    expect(pins.lowest(seen([800]), 18 * minuteMs)).to.equal(null);
    expect(pins.lowest(seen([0]), 18 * minuteMs)).to.equal(null);
  });

  it('ends the pin of a peer that has caught up though its transfer seemed to fail', () => {
    expect(pins.lowest(seen([900], [first]), 1)).to.equal(500);
    expect(pins.lowest(seen([600]), 1)).to.equal(600);
    expect(pins.lowest(seen([900]), 2)).to.equal(null);
  });

  it('ends the pins of peers that are no members any more, and all when the node leads no more', () => {
    pins.pin(second, asIndex(400), 0);
    expect(pins.lowest(seen([0, 0]), 1)).to.equal(400);
    pins.keepOnly(seen([0]));
    expect(pins.lowest(seen([0, 0]), 1)).to.equal(500);
    expect(pins.lowest(seen([]), 1)).to.equal(null);
    expect(pins.lowest(seen([0]), 1)).to.equal(null);
  });

  it('keeps the pin of a transfer on its way, though the node leads no more', () => {
    expect(pins.lowest(seen([], [first]), 1)).to.equal(500);
    expect(pins.lowest(seen([], [first]), 10 * minuteMs)).to.equal(null);
  });
});
