import type { PeerId } from '../../../src/shared/index.ts';
import type { SnapshotOffer } from '../../../src/transport/index.ts';
import type { SimNode } from './sim-node.ts';

/** A snapshot as it went over the network: it can reach anybody, at any later time. */
export interface SentSnapshot {
  readonly from: PeerId;
  readonly offer: SnapshotOffer;
  readonly chunks: readonly Uint8Array[];
}

/** Hands it to the node as its transport would, to the end; a node that refuses or dies has none of it. */
export function giveSnapshot(node: SimNode, { from, offer, chunks }: SentSnapshot): void {
  const { life, replica } = node;
  life?.pass(() => {
    const take = async (): Promise<void> => {
      const receiver = await replica?.onSnapshot(from, offer);
      if (receiver === undefined) return;
      try {
        for (let number = receiver.startAt; number < chunks.length; number++) {
          await receiver.take(number, chunks[number] ?? new Uint8Array(0));
        }
        await receiver.finish();
      } catch (error) {
        receiver.abort('it broke');
        throw error;
      }
    };
    take().catch(() => undefined);
  });
}
