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

/** Written last when a database is made; RocksDB takes a directory without it for a new one. */
const nameOfRoot = 'CURRENT';
/** What there can be only after CURRENT was: tables, journals, and every manifest but the first. */
const isLater = /^(\d+\.(sst|ldb|log)|MANIFEST-(?!0*1$)\d+)$/;

/**
 * Among the names in the directory of a database: one that its lost CURRENT would have led to. RocksDB
 * would delete the tables and start the next time with what the journals hold. null: CURRENT is there,
 * or the database is a new one, perhaps one whose making was cut short.
 */
export const orphanIn = (names: readonly string[]): string | null =>
  names.includes(nameOfRoot) ? null : (names.find((name) => isLater.test(name)) ?? null);
