import { rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { QuorateError } from '../shared/index.ts';

/** Most nodes of a cluster on this machine; each knows the addresses of all five. */
export const localNodesMax = 5;

const connectMsMax = 500;

/** Where node N keeps its data. */
export const localDataDirectory = (root: string, n: number): string =>
  join(root, '.data', `node${n}`);

interface Forget {
  /** The checkout. */
  readonly root: string;
  /** Only this node; all of them when it is left out. */
  readonly n?: number;
  /** Whether a node serves HTTP at this port of this machine. */
  readonly isRunning?: (port: number) => Promise<boolean>;
}

/**
 * Deletes the data of node N, or of all nodes. Throws CONFIG_INVALID while one of them runs: it would
 * go on with files that no longer have a name, and lose at its end all that it acknowledged.
 */
export async function forgetLocalData({ root, n, isRunning = answers }: Forget): Promise<void> {
  const all = Array.from({ length: localNodesMax }, (_, i) => i + 1);
  const nodes = n === undefined ? all : [n];
  for (const one of nodes) {
    const port = 5999 + one;
    if (!(await isRunning(port))) continue;
    const found = `node${one} still runs at 127.0.0.1:${port}, stop it first`;
    throw new QuorateError('CONFIG_INVALID', `Cannot start with --clean: ${found}`);
  }
  for (const one of nodes) rmSync(localDataDirectory(root, one), { recursive: true, force: true });
}

/** Throws CONFIG_INVALID when somebody listens where the first `nodes` nodes are to serve HTTP. */
export async function checkPortsAreFree(nodes: number, isTaken = answers): Promise<void> {
  for (let n = 1; n <= nodes; n++) {
    const port = 5999 + n;
    if (!(await isTaken(port))) continue;
    const found = `something listens at 127.0.0.1:${port} already, stop it first`;
    throw new QuorateError('CONFIG_INVALID', `Cannot start node${n}: ${found}`);
  }
}

/** Whether somebody accepts connections at this port of this machine. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: connectMsMax });
    const settle = (accepted: boolean): void => {
      socket.destroy();
      resolve(accepted);
    };
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
    socket.once('timeout', () => settle(true));
  });
}
