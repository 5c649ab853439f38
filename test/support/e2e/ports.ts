import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

/** Below the range from which the kernel picks ports for outgoing connections. */
const lowest = 10_000;
const highest = 32_000;
/** Test processes that run side by side start looking at different places. */
let next = lowest + ((process.pid * 97) % (highest - lowest));

/** A port that is free for TCP and UDP on the loopback address, and given out only once. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < highest - lowest; tries++) {
    const port = next++;
    if (next >= highest) next = lowest;
    if ((await isFreeForTcp(port)) && (await isFreeForUdp(port))) return port;
  }
  throw new Error(`Cannot find a free port from ${lowest} to ${highest}`);
}

/** Whether nobody listens there, on TCP or UDP. */
export async function isPortFree(port: number): Promise<boolean> {
  return (await isFreeForTcp(port)) && (await isFreeForUdp(port));
}

function isFreeForTcp(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

function isFreeForUdp(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.once('error', () => {
      socket.close();
      resolve(false);
    });
    socket.bind(port, '127.0.0.1', () => socket.close(() => resolve(true)));
  });
}
