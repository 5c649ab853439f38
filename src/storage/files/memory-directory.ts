import type { Random } from '../../shared/index.ts';
import type { MemoryFileNode } from './memory-file.ts';
import { survival } from './survival.ts';

type DirectoryChange =
  | { readonly kind: 'put'; readonly name: string; readonly node: MemoryNode }
  | { readonly kind: 'remove'; readonly name: string }
  | {
      readonly kind: 'rename';
      readonly name: string;
      readonly to: string;
      readonly node: MemoryNode;
    };

export type MemoryNode = MemoryFileNode | MemoryDirectoryNode;

/** A directory with its names now, its names on the disk, and the changes between the two. */
export class MemoryDirectoryNode {
  readonly kind = 'directory';
  entries = new Map<string, MemoryNode>();
  readonly #durable = new Map<string, MemoryNode>();
  #pending: DirectoryChange[] = [];

  put(name: string, node: MemoryNode): void {
    this.#change({ kind: 'put', name, node });
  }

  remove(name: string): void {
    if (this.entries.has(name)) this.#change({ kind: 'remove', name });
  }

  rename(name: string, to: string, node: MemoryNode): void {
    this.#change({ kind: 'rename', name, to, node });
  }

  /** A power cut may leave it in both places, as file systems with hard links may, never in none. */
  moveTo(
    target: MemoryDirectoryNode,
    { from, to, node }: { readonly from: string; readonly to: string; readonly node: MemoryNode },
  ): void {
    target.entries.set(to, node);
    target.#durable.set(to, node);
    this.remove(from);
  }

  beginFlush(): readonly DirectoryChange[] {
    return [...this.#pending];
  }

  endFlush(flush: readonly DirectoryChange[]): void {
    const flushed = new Set(flush);
    for (const change of this.#pending) if (flushed.has(change)) apply(this.#durable, change);
    this.#pending = this.#pending.filter((change) => !flushed.has(change));
  }

  /** A name that lies on the disk is gone, behind the back of everybody. False: it does not. */
  lose(name: string): boolean {
    if (!this.#durable.delete(name)) return false;
    this.entries.delete(name);
    return true;
  }

  /** Power is lost: any of the changes that were not synced may be missing. */
  crash(random: Random): void {
    const survives = survival(random, this.#pending.length);
    for (const change of this.#pending) if (survives()) apply(this.#durable, change);
    this.#pending = [];
    this.entries = new Map(this.#durable);
    for (const node of this.entries.values()) node.crash(random);
  }

  #change(change: DirectoryChange): void {
    apply(this.entries, change);
    this.#pending.push(change);
  }
}

function apply(entries: Map<string, MemoryNode>, change: DirectoryChange): void {
  if (change.kind === 'put') entries.set(change.name, change.node);
  else if (change.kind === 'remove') entries.delete(change.name);
  else if (entries.get(change.name) === change.node) {
    entries.delete(change.name);
    entries.set(change.to, change.node);
  }
}
