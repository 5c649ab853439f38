import type { ClusterId } from '../../shared/index.ts';
import { asClusterId, isLaterLineage, QuorateError } from '../../shared/index.ts';
import type { Files } from '../../storage/index.ts';
import type { OutdatedBy } from '../../transport/index.ts';
import { readSmallFile } from './small-file.ts';

/** What keeps a data directory from being served: its cluster was recovered without it. */
export interface Fence {
  /** The cluster in its later lineage. */
  readonly cluster: ClusterId;
  /** Who said so, for people. */
  readonly source: string;
}

/** In the data directory; goes with the data. */
export const fenceFile = 'fenced';

/** null: nothing says that the data in `path` must not be served. */
export async function readFence(files: Files, path: string): Promise<Fence | null> {
  const text = await readSmallFile(files, `${path}/${fenceFile}`);
  return text === null ? null : decodeFence(text);
}

/** Of the file `fenced`: the cluster, then who said so. */
export const encodeFence = ({ cluster, source }: Fence): string => `${cluster}\n${source}\n`;

function decodeFence(text: string): Fence {
  const [cluster = '', source = ''] = text.split('\n');
  return { cluster: asClusterId(cluster), source };
}

/** A fence for data that was recovered itself since holds no more. */
export const isFencedBy = ({ cluster }: Fence, own: ClusterId): boolean =>
  isLaterLineage(cluster, own);

/**
 * The data of this node must not be served: it is from before its cluster was recovered. Another start
 * changes nothing about it, the operator does.
 */
export class Fenced extends QuorateError {
  readonly fence: Fence;

  constructor(path: string, fence: Fence) {
    const found = `its cluster was recovered without it as ${fence.cluster} (${fence.source} is of that)`;
    const todo = `move ${path} away and start this node again with --join to a node of that cluster`;
    super('CONFLICT', `Cannot serve ${path} as data of this node: ${found}; ${todo}`);
    this.fence = fence;
  }
}

/** What a peer's word makes of the data in `path`. */
export const fencedBy = (path: string, { cluster, peer, address }: OutdatedBy): Fenced =>
  new Fenced(path, { cluster, source: `${peer.slice(0, peer.lastIndexOf('@'))} at ${address}` });
