/** Bounds of what one node holds; each says what happens when it is reached. */
export const limits = {
  /** A further member replaces the longest ended one, or is not taken in. */
  membersMax: 1_024,
  /** A further join address replaces the oldest. */
  seedsMax: 64,
  /** A further key of an owner is not kept. */
  verdictsPerOwnerMax: 1_000_000,
  /** Above it the older half is forgotten and the floor rises. */
  tombstonesPerOwnerMax: 10_000,
  /** Above it the farthest range is forgotten; it is pulled later. */
  rangesPerOwnerMax: 32,
  /** Above it the second newest report that waits for verdicts is dropped. */
  waitingReportsMax: 4,
  /** Above it the most sent item is dropped. */
  laneItemsMax: 1_024,
  /** Above it an owner's own changes become a version bump. */
  dirtyKeysMax: 256,
  /** A health item above it becomes a version bump; fits the reserved share of a packet. */
  healthItemBytesMax: 440,
  /** Further exchanges wait for the next chance. */
  exchangesMax: 16,
  /** Further ping requests are not relayed. */
  relaysMax: 256,
} as const;
