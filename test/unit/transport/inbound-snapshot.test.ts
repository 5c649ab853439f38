import { expect } from 'chai';
import type { Frame } from '../../../src/transport/peer/frames.ts';
import type { Answering, ServerContext } from '../../../src/transport/peer/inbound.ts';
import { InboundSnapshot } from '../../../src/transport/peer/inbound-snapshot.ts';
import { SNAPSHOT_SILENCE_MS } from '../../../src/transport/peer/limits.ts';
import { KeptLog, TestIntake, TestSource, two } from '../../contract/peer-transport-support.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

/** A stream that tells its end, held back while it was paused, as soon as it goes on. */
class HoldingStream implements Answering {
  readonly hasRoom = true;
  readonly answers: string[] = [];
  heldEnd: (() => void) | null = null;

  write({ body }: Frame): void {
    this.answers.push(body);
  }

  pause(): void {
    // Nothing more comes by itself.
  }

  resume(): void {
    const end = this.heldEnd;
    this.heldEnd = null;
    end?.();
  }

  end(): void {
    this.answers.push('end');
  }
}

describe('InboundSnapshot', () => {
  it('gives up no transfer whose chunks have all come, however long the disk takes with the last', async () => {
    const clock = new VirtualClock();
    const intake = new TestIntake();
    let finish: () => void = () => undefined;
    intake.beforeFinish = () => new Promise((resolve) => (finish = resolve));
    const stream = new HoldingStream();
    const handlers = { onSnapshot: intake.receive };
    const context = { clock, logger: new KeptLog(), handlers } as unknown as ServerContext;
    const inbound = new InboundSnapshot({ context, from: two, stream, turns: new Map() });

    inbound.onFrame({ body: 'offer', offer: new TestSource(1).offer });
    await clock.advance(1);
    inbound.onFrame({ body: 'chunk', chunk: { number: 0, bytes: new Uint8Array(1) } });
    stream.heldEnd = () => inbound.onHalfClose();
    await clock.advance(SNAPSHOT_SILENCE_MS + 1);
    expect(intake.aborts).to.deep.equal([]);
    expect(stream.answers).to.deep.equal(['start']);

    finish();
    await clock.advance(1);
    expect(stream.answers).to.deep.equal(['start', 'done', 'end']);
    expect(clock.pendingCount).to.equal(0);
  });
});
