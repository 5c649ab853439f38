/** A checksum of RocksDB itself is wrong, or one of its files makes no sense. */
const isCorrupt = /\bCorruption: /;

/**
 * A file is gone that RocksDB wrote and counts on. The binding has its paranoid checks off, so a table
 * file is missed by the first read that needs it, and not when the database is opened.
 */
const isFileGone =
  /\bIO error: No such file or directory\s*While open(ing)? a file for (random read|sequentially reading): /;

/**
 * The code for what RocksDB says, which it does in words only. A file that is there and cannot be read
 * is no damage: it may be whole behind a controller that fails (docs/decisions/0030).
 */
export const codeFor = (text: string): 'STORAGE_DAMAGED' | 'STORAGE_FAILED' =>
  isCorrupt.test(text) || isFileGone.test(text) ? 'STORAGE_DAMAGED' : 'STORAGE_FAILED';
