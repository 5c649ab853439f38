/**
 * A record that fails its checksum is taken for torn, so cut, when a disk sector of it is all zero:
 * the sector that never arrived. That is only sound if no sector of a whole record is zero, nor
 * becomes so by one flipped byte. Bodies that would break this (long runs of zeros in values) are
 * XORed with a mask word that the record names; most have mask 0 and are stored as they are.
 */

/** The unit a disk writes whole or not at all. */
export const SECTOR_BYTES = 512;
const SECTOR_WORDS = SECTOR_BYTES / 4;

/**
 * The mask for a body in words [from, to) of a record: 0 when all sectors that lie wholly in it have
 * two words that are not zero, else a word that makes it so. (Sectors shared with the record's
 * header or trailer have two such words anyway.)
 */
export function chooseMask(words: Uint32Array, from: number, to: number): number {
  if (!hasSparseSector(words, from, to)) return 0;
  const banned = new Set<number>([0]);
  forEachSector(from, to, (sector) => {
    for (const common of [words[sector] as number, words[sector + 1] as number]) {
      if (!differsTwice(words, sector, common)) banned.add(common);
    }
  });
  let mask = 1;
  while (banned.has(mask)) mask++;
  return mask;
}

/** XORs bytes [from, to), which must begin on a multiple of four; undone by doing it again. */
export function applyMask(bytes: Uint8Array, mask: number, from: number, to: number): void {
  if (mask === 0) return;
  for (let i = from; i < to; i++) bytes[i] = (bytes[i] as number) ^ (mask >>> ((i & 3) * 8));
}

function hasSparseSector(words: Uint32Array, from: number, to: number): boolean {
  for (let sector = firstSector(from); sector + SECTOR_WORDS <= to; sector += SECTOR_WORDS) {
    if (words[sector] !== 0 && words[sector + 1] !== 0) continue;
    if (!differsTwice(words, sector, 0)) return true;
  }
  return false;
}

function differsTwice(words: Uint32Array, sector: number, common: number): boolean {
  let different = 0;
  for (let i = sector; i < sector + SECTOR_WORDS; i++) {
    if (words[i] !== common && ++different === 2) return true;
  }
  return false;
}

function forEachSector(from: number, to: number, visit: (sector: number) => void): void {
  for (let sector = firstSector(from); sector + SECTOR_WORDS <= to; sector += SECTOR_WORDS) {
    visit(sector);
  }
}

const firstSector = (from: number): number => Math.ceil(from / SECTOR_WORDS) * SECTOR_WORDS;
