import { connect } from 'node:net';
import { codeOf, QuorateError } from '../../shared/index.ts';
import type { Cancel, Clock } from '../../shared/index.ts';

interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** Splits `host:port` or `[v6]:port`; throws PARAM_INVALID. */
export function parseAddress(address: string): HostAndPort {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(address);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || !(port <= 65_535)) {
    throw new QuorateError('PARAM_INVALID', `Cannot use an address as host:port: '${address}'`);
  }
  return { host, port };
}

interface ProbeOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** Called once, later, unless cancelled: null when a connection stood, else what went wrong. */
  readonly done: (failure: string | null) => void;
}

/**
 * Tries whether something accepts TCP connections there. gRPC gives a connection attempt no
 * deadline and cannot take one back: after a power failure it would wait for the kernel, which
 * asks ever more rarely. So an address is dialled only once it has answered.
 */
export function probe(address: string, options: ProbeOptions): Cancel {
  const { clock, timeoutMs, done } = options;
  let target: HostAndPort;
  try {
    target = parseAddress(address);
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    return clock.after(0, () => done('its address is not host:port'));
  }
  const socket = connect(target);
  const cancel = (): void => {
    cancelTimer();
    socket.removeAllListeners().on('error', ignore).destroy();
  };
  const finish = (failure: string | null): void => {
    cancel();
    done(failure);
  };
  const cancelTimer = clock.after(timeoutMs, () => finish('it does not answer'));
  socket.once('connect', () => finish(null));
  socket.once('error', (error) => finish(error.message));
  return cancel;
}

function ignore(): void {
  // The probe is over: what its socket still says does not matter.
}
