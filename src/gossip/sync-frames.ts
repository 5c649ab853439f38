import {
  encodeDigest,
  encodeMember,
  encodeReport,
  encodeSegment,
  joinParts,
} from '../wire/index.ts';
import type { GossipFrame, HealthDigest } from '../wire/index.ts';
import { openFrame } from './context.ts';
import type { Context } from './context.ts';
import type { HealthBook } from './health-book.ts';
import type { Membership } from './membership.ts';
import type { OwnerHealth } from './owner-health.ts';

/** Builds both sides of a push/pull: who is there, and what the other side lacks. */
export class SyncFrames {
  readonly #context: Context;
  readonly #membership: Membership;
  readonly #book: HealthBook;

  constructor(context: Context, membership: Membership, book: HealthBook) {
    this.#context = context;
    this.#membership = membership;
    this.#book = book;
  }

  request(nowMs: number): Uint8Array {
    return joinParts([openFrame(this.#context, { sync: true }), ...this.#state(nowMs)]);
  }

  answer(request: GossipFrame, nowMs: number): Uint8Array {
    const { items, more } = this.#missing(request.digests);
    const opening = { sync: true, more, ack: request.ping?.sequence ?? 0 };
    return joinParts([openFrame(this.#context, opening), ...this.#state(nowMs), ...items]);
  }

  #state(nowMs: number): Uint8Array[] {
    const { self, table } = this.#context;
    const mine = encodeMember({ record: self.record, accuser: '', endedSeconds: 0 });
    const others = [...table.values()].map((member) =>
      encodeMember(this.#membership.rumourOf(member, nowMs)),
    );
    return [mine, ...others, ...this.#book.digests().map(encodeDigest)];
  }

  /** What the reader lacks, up to the budget; at least one item, so that there is progress. */
  #missing(digests: readonly HealthDigest[]): { items: Uint8Array[]; more: boolean } {
    const readers = new Map(digests.map((digest) => [digest.owner, digest]));
    const items: Uint8Array[] = [];
    let left = this.#context.settings.answerBytesMax;
    for (const health of this.#book.inRandomOrder()) {
      if (left <= 0) return { items, more: true };
      const found = itemsFor(health, readers.get(health.owner), left);
      for (const bytes of found.items) left -= bytes.length;
      items.push(...found.items);
      if (found.more) return { items, more: true };
    }
    return { items, more: false };
  }
}

/** A report follows its verdicts: it would only wait without them. */
function itemsFor(
  health: OwnerHealth,
  digest: HealthDigest | undefined,
  bytesMax: number,
): { items: Uint8Array[]; more: boolean } {
  const { owner, epoch, column, reports } = health;
  if (digest && digest.epoch > epoch) return { items: [], more: false };
  const isSameEpoch = digest?.epoch === epoch;
  const reader = isSameEpoch ? digest : { contiguous: 0, floor: 0, reportNumber: 0 };
  const items: Uint8Array[] = [];
  const cut = column.cut(reader, bytesMax);
  if (cut) {
    const { fromExclusive, toInclusive, reset, entries } = cut;
    const { floor } = column;
    items.push(encodeSegment({ owner, epoch, fromExclusive, toInclusive, floor, reset, entries }));
    if (!cut.isLast) return { items, more: true };
  }
  const { latest } = reports;
  if (latest && latest.number > reader.reportNumber) items.push(encodeReport(latest));
  return { items, more: false };
}
