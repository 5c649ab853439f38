import type { Random } from '../../shared/index.ts';
import type { Files } from './files.ts';
import { MemoryMount } from './memory-mount.ts';
import type { MemoryDiskHooks } from './memory-mount.ts';
import { MemoryDirectoryNode } from './memory-directory.ts';
import { MemoryFileNode } from './memory-file.ts';

/**
 * A disk in memory that forgets what was not synced. A process works through a mount; after `crash`
 * or `kill` its calls never complete, and the next process takes a mount of its own.
 */
export class MemoryDisk {
  readonly #root = new MemoryDirectoryNode();
  readonly #hooks: MemoryDiskHooks;
  #mount: MemoryMount | null = null;

  constructor(hooks: MemoryDiskHooks = {}) {
    this.#hooks = hooks;
  }

  /** The file system for the next process; the one before is cut off. */
  mount(): Files {
    this.kill();
    this.#mount = new MemoryMount(this.#root, this.#hooks);
    return this.#mount;
  }

  /** The process dies; the cache of the system lives on. */
  kill(): void {
    if (this.#mount) this.#mount.alive = false;
    this.#mount = null;
  }

  /** Power is lost: of all that was not synced, `random` says what reached the disk. */
  crash(random: Random): void {
    this.kill();
    this.#root.crash(random);
  }

  /** Flips a bit that lies on the disk, in one of the files that are wanted. Returns its path. */
  flipBit(random: Random, isWanted: (path: string) => boolean): string | null {
    return this.#damage(random, isWanted, (file) => file.flipBit(random));
  }

  /** How much of the wanted files is not surely on the disk. */
  unsyncedBytes(isWanted: (path: string) => boolean): number {
    return this.#files(isWanted).reduce((sum, { file }) => sum + file.unsyncedBytes, 0);
  }

  /** A sector of a wanted file that was not synced gets there in part. Returns its path. */
  tearSector(random: Random, isWanted: (path: string) => boolean): string | null {
    return this.#damage(random, isWanted, (file) => file.tearSector(random));
  }

  /** A wanted file is gone from its directory. Returns its path. */
  loseFile(random: Random, isWanted: (path: string) => boolean): string | null {
    return this.#damage(random, isWanted, (_, { directory, name }) => directory.lose(name));
  }

  /** A wanted file ends early. Returns its path. */
  cutFile(random: Random, isWanted: (path: string) => boolean): string | null {
    return this.#damage(random, isWanted, (file) => {
      if (file.isBlank) return false;
      file.cut(random.intBelow(file.size));
      return true;
    });
  }

  /**
   * A block of a wanted file is not what was written there. Only where its last block is in use: of
   * the others, nobody could tell. Returns its path.
   */
  loseBlock(
    random: Random,
    blockBytes: number,
    isWanted: (path: string) => boolean,
  ): string | null {
    return this.#damage(random, isWanted, (file) => {
      const end = file.read(file.size - blockBytes, blockBytes);
      return end.some((byte) => byte > 0) && file.loseBlock(random, blockBytes);
    });
  }

  /** Two wanted files, at least one of them not blank, change places. Returns the path of one. */
  swapFiles(random: Random, isWanted: (path: string) => boolean): string | null {
    const [first, second] = shuffled(random, this.#files(isWanted));
    if (!first || !second || (first.file.isBlank && second.file.isBlank)) return null;
    const kept = new MemoryFileNode();
    kept.become(first.file);
    first.file.become(second.file);
    second.file.become(kept);
    return first.path;
  }

  /** A wanted file is that of another disk, one of several that are not blank. Returns its path. */
  takeFile(other: MemoryDisk, random: Random, isWanted: (path: string) => boolean): string | null {
    const filled = this.#files(isWanted).filter(({ file }) => !file.isBlank);
    const [target] = shuffled(random, filled);
    const source = other.#files((path) => path === target?.path)[0];
    if (!target || !source || source.file.isBlank || filled.length < 2) return null;
    target.file.become(source.file);
    return target.path;
  }

  #files(isWanted: (path: string) => boolean): readonly Place[] {
    return [...filesIn(this.#root, '')].filter(({ path }) => isWanted(path));
  }

  #damage(
    random: Random,
    isWanted: (path: string) => boolean,
    damage: (file: MemoryFileNode, place: Place) => boolean,
  ): string | null {
    const found = shuffled(random, this.#files(isWanted)).find((place) =>
      damage(place.file, place),
    );
    return found?.path ?? null;
  }
}

function shuffled<T>(random: Random, items: readonly T[]): readonly T[] {
  const left = [...items];
  return items.map(() => left.splice(random.intBelow(left.length), 1)).flat();
}

interface Place {
  readonly path: string;
  readonly directory: MemoryDirectoryNode;
  readonly name: string;
  readonly file: MemoryFileNode;
}

function* filesIn(directory: MemoryDirectoryNode, above: string): Generator<Place> {
  for (const [name, node] of directory.entries) {
    const path = `${above}/${name}`;
    if (node.kind === 'file') yield { path, directory, name, file: node };
    else yield* filesIn(node, path);
  }
}
