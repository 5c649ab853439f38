import sortedBtree from 'sorted-btree';

// A CommonJS package: Node.js imports its exports, loaders that compile modules import the class.
const imported: unknown = sortedBtree;

/** An ordered map. */
export const BTree = (
  typeof imported === 'function' ? imported : sortedBtree.default
) as typeof sortedBtree.default;
