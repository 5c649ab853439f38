import type { Files, OpenFile, OpenMode } from './files.ts';
import { MemoryDirectoryNode } from './memory-directory.ts';
import type { MemoryNode } from './memory-directory.ts';
import { MemoryFileNode, SECTOR_BYTES } from './memory-file.ts';

/** What is about to happen: given to the hooks of a memory disk. */
export interface FileOperation {
  readonly kind: keyof Files | 'read' | 'write' | 'sync' | 'close';
  readonly path: string;
  /** How many bytes are read or written; 0 for the rest. */
  readonly bytes: number;
}

export type FileFault =
  /** Fails with this system code; of a write, `bytes` bytes reached the cache all the same. */
  | { readonly kind: 'error'; readonly code: string; readonly bytes?: number }
  /** A write takes only about so many bytes: it ends where a sector ends, as on real systems. */
  | { readonly kind: 'short'; readonly bytes: number }
  /** Takes effect in the cache, never completes. */
  | { readonly kind: 'hang' };

export interface MemoryDiskHooks {
  /** Asked once per operation, when it begins. */
  readonly fault?: (operation: FileOperation) => FileFault | null;
  /** What `freeBytes` says; without this hook, more than anybody needs. */
  readonly freeBytes?: () => number;
  /** Calls `finish` when the operation shall complete; without this hook, in a microtask. */
  readonly complete?: (operation: FileOperation, finish: () => void) => void;
}

interface Effect<T> {
  /** What the caller gets. */
  readonly result: T;
  /** Runs on completion, before the caller hears of it. */
  readonly onDone?: () => void;
  /** Runs in place of `onDone` when the operation fails. */
  readonly onFail?: () => void;
}

/** What one process sees of a memory disk. */
export class MemoryMount implements Files {
  alive = true;
  readonly #root: MemoryDirectoryNode;
  readonly #hooks: MemoryDiskHooks;

  constructor(root: MemoryDirectoryNode, hooks: MemoryDiskHooks) {
    this.#root = root;
    this.#hooks = hooks;
  }

  /** `begin` acts on the cache at once; with a fault it is given how many bytes go through. */
  run<T>(operation: FileOperation, begin: (bytes: number) => Effect<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (!this.alive) return;
      const fault = this.#hooks.fault?.(operation) ?? null;
      const outcome = this.#begin(operation, fault, begin);
      if (fault?.kind === 'hang') return;
      const finish = (): void => {
        if (!this.alive) return;
        outcome.settle();
        if (outcome.error) reject(outcome.error);
        else resolve(outcome.result as T);
      };
      if (this.#hooks.complete) this.#hooks.complete(operation, finish);
      else queueMicrotask(finish);
    });
  }

  #begin<T>(
    operation: FileOperation,
    fault: FileFault | null,
    begin: (bytes: number) => Effect<T>,
  ): { readonly error: Error | null; readonly result: T | null; readonly settle: () => void } {
    const failure = fault?.kind === 'error' ? systemError(fault.code, operation) : null;
    const changes = operation.kind === 'write' || operation.kind === 'sync';
    if (failure && !changes) return { error: failure, result: null, settle: nothing };
    try {
      const effect = begin(bytesThrough(operation, fault));
      const settle = (failure ? effect.onFail : effect.onDone) ?? nothing;
      return { error: failure, result: effect.result, settle };
    } catch (error) {
      return { error: error as Error, result: null, settle: nothing };
    }
  }

  open(path: string, mode: OpenMode): Promise<OpenFile> {
    return this.run({ kind: 'open', path, bytes: 0 }, () => {
      const { parent, name } = this.#parentOf(path);
      let node = parent.entries.get(name);
      if (!node && mode === 'plain') parent.put(name, (node = new MemoryFileNode()));
      if (node?.kind !== 'file') throw systemError(node ? 'EISDIR' : 'ENOENT', { path });
      return { result: new MemoryOpenFile(this, { path, mode, node }) };
    });
  }

  rename(from: string, to: string): Promise<void> {
    return this.run({ kind: 'rename', path: from, bytes: 0 }, () => {
      const source = this.#parentOf(from);
      const target = this.#parentOf(to);
      const node = source.parent.entries.get(source.name);
      if (!node) throw systemError('ENOENT', { path: from });
      if (source.parent === target.parent) source.parent.rename(source.name, target.name, node);
      else source.parent.moveTo(target.parent, { from: source.name, to: target.name, node });
      return { result: undefined };
    });
  }

  remove(path: string): Promise<void> {
    return this.run({ kind: 'remove', path, bytes: 0 }, () => {
      const { parent, name } = this.#parentOf(path);
      parent.remove(name);
      return { result: undefined };
    });
  }

  list(path: string): Promise<readonly string[] | null> {
    return this.run({ kind: 'list', path, bytes: 0 }, () => {
      const node = this.#find(path);
      if (node && node.kind !== 'directory') throw systemError('ENOTDIR', { path });
      return { result: node ? [...node.entries.keys()].sort() : null };
    });
  }

  makeDirectory(path: string): Promise<void> {
    return this.run({ kind: 'makeDirectory', path, bytes: 0 }, () => {
      const { parent, name } = this.#parentOf(path);
      if (!parent.entries.has(name)) parent.put(name, new MemoryDirectoryNode());
      return { result: undefined };
    });
  }

  syncDirectory(path: string): Promise<void> {
    return this.run({ kind: 'syncDirectory', path, bytes: 0 }, () => {
      const node = this.#find(path);
      if (node?.kind !== 'directory') throw systemError(node ? 'ENOTDIR' : 'ENOENT', { path });
      const flush = node.beginFlush();
      return { result: undefined, onDone: () => node.endFlush(flush) };
    });
  }

  sizeOf(path: string): Promise<number | null> {
    return this.run({ kind: 'sizeOf', path, bytes: 0 }, () => {
      const node = this.#find(path);
      return { result: node?.kind === 'file' ? node.size : null };
    });
  }

  freeBytes(path: string): Promise<number> {
    const free = (): number => this.#hooks.freeBytes?.() ?? Number.MAX_SAFE_INTEGER;
    return this.run({ kind: 'freeBytes', path, bytes: 0 }, () => ({ result: free() }));
  }

  truncate(path: string, size: number): Promise<void> {
    return this.run({ kind: 'truncate', path, bytes: 0 }, () => {
      const node = this.#find(path);
      if (node?.kind !== 'file') throw systemError(node ? 'EISDIR' : 'ENOENT', { path });
      node.truncate(size);
      return { result: undefined };
    });
  }

  #find(path: string): MemoryNode | undefined {
    let node: MemoryNode | undefined = this.#root;
    for (const name of namesOf(path)) {
      node = node?.kind === 'directory' ? node.entries.get(name) : undefined;
    }
    return node;
  }

  #parentOf(path: string): { readonly parent: MemoryDirectoryNode; readonly name: string } {
    const names = namesOf(path);
    const name = names.pop();
    const parent = this.#find(names.join('/'));
    if (name === undefined || parent?.kind !== 'directory') throw systemError('ENOENT', { path });
    return { parent, name };
  }
}

interface Opened {
  readonly path: string;
  readonly mode: OpenMode;
  readonly node: MemoryFileNode;
}

class MemoryOpenFile implements OpenFile {
  readonly #mount: MemoryMount;
  readonly #opened: Opened;
  #closed = false;

  constructor(mount: MemoryMount, opened: Opened) {
    this.#mount = mount;
    this.#opened = opened;
  }

  read(position: number, length: number): Promise<Uint8Array> {
    return this.#run('read', length, ({ node }) => ({ result: node.read(position, length) }));
  }

  write(position: number, bytes: Uint8Array): Promise<number> {
    return this.#run('write', bytes.length, ({ node, mode, path }, through) => {
      if (mode === 'read') throw systemError('EBADF', { path });
      const count = endInSector(position, through, bytes.length);
      node.write(position, bytes.subarray(0, count));
      if (mode === 'plain') return { result: count };
      const flush = node.beginFlush(position, count);
      return {
        result: count,
        onDone: () => node.endFlush(flush),
        onFail: () => node.failFlush(flush),
      };
    });
  }

  sync(): Promise<void> {
    return this.#run('sync', 0, ({ node }) => {
      const flush = node.beginFlush(0, Number.MAX_SAFE_INTEGER);
      return {
        result: undefined,
        onDone: () => node.endFlush(flush),
        onFail: () => node.failFlush(flush),
      };
    });
  }

  close(): Promise<void> {
    return this.#run('close', 0, () => {
      this.#closed = true;
      return { result: undefined };
    });
  }

  #run<T>(
    kind: FileOperation['kind'],
    bytes: number,
    begin: (opened: Opened, bytes: number) => Effect<T>,
  ): Promise<T> {
    return this.#mount.run({ kind, path: this.#opened.path, bytes }, (count) => {
      if (this.#closed) throw systemError('EBADF', this.#opened);
      return begin(this.#opened, count);
    });
  }
}

function bytesThrough(operation: FileOperation, fault: FileFault | null): number {
  if (operation.kind !== 'write' || !fault || fault.kind === 'hang') return operation.bytes;
  return Math.min(operation.bytes, fault.bytes ?? 0);
}

/** How much of a write of `length` bytes goes through if it shall be `through`: whole sectors. */
function endInSector(position: number, through: number, length: number): number {
  if (through === 0 || through >= length) return Math.min(through, length);
  const end = Math.max(position + 1, position + through - SECTOR_BYTES + 1);
  return Math.min(length, Math.ceil(end / SECTOR_BYTES) * SECTOR_BYTES - position);
}

const nothing = (): void => undefined;

const namesOf = (path: string): string[] =>
  path.split('/').filter((name) => name !== '' && name !== '.');

function systemError(code: string, { path }: { readonly path: string }): Error {
  return Object.assign(new Error(`${code}: memory disk, ${path}`), { code });
}
