import { freePorts } from '../e2e/index.ts';
import type { Network, Place } from './network.ts';

const host = '127.0.0.1';

/** All nodes on the loopback address, where nothing can be cut: for users without namespaces. */
export async function loopback(nodeCount: number): Promise<Network> {
  const places: Place[] = [];
  for (let n = 1; n <= nodeCount; n++) {
    const ports = await freePorts();
    places.push({ host, ports, raft: `${host}:${ports.raft}`, wrapper: [], flags: [] });
  }
  return {
    means: null,
    ownHost: host,
    places,
    cut: () => Promise.reject(new Error('Cannot cut links: there are no network namespaces')),
    close: () => Promise.resolve(),
  };
}
