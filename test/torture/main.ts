import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { canEnter, enterCommand, Namespaces, Proxies, Torture } from '../support/torture/index.ts';

/**
 * Real daemons under load and faults: `npm run torture -- --minutes=10 --nodes=5 --seed=S`. Links
 * are cut by network namespaces where those are allowed, else (or with --proxies) by proxies before
 * the Raft ports. Ends with 1 and the reason when an answer was wrong, something acknowledged was lost
 * or nodes differ. The faults follow the seed; what becomes of them does not, as the processes are
 * real.
 */
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    nodes: { type: 'string', default: '5' },
    clients: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    proxies: { type: 'boolean', default: false },
    /** For the process that is started inside. */
    inside: { type: 'boolean', default: false },
  },
});

/** Starts this program again in namespaces of its own; its end is our end. */
function enter(): Promise<number> {
  const own = [process.execPath, ...process.execArgv, fileURLToPath(import.meta.url)];
  const options = [
    `--seed=${values.seed}`,
    `--nodes=${values.nodes}`,
    `--clients=${values.clients}`,
  ];
  const command = enterCommand([...own, '--inside', `--minutes=${values.minutes}`, ...options]);
  const [program = '', ...args] = command;
  // It stops when its standard input ends: so it does however this process ends.
  const child = spawn(program, args, { stdio: ['pipe', 'inherit', 'inherit'] });
  child.stdin.on('error', () => undefined);
  const stop = (): void => {
    if (child.stdin.writableEnded) child.kill('SIGKILL');
    child.stdin.end();
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
}

async function torture(): Promise<number> {
  const nodeCount = Number(values.nodes);
  const interruption = new AbortController();
  const interrupt = (): void => interruption.abort();
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  if (values.inside) process.stdin.once('end', interrupt).once('error', interrupt).resume();
  const run = new Torture({
    minutes: Number(values.minutes),
    seed: Number(values.seed),
    clientCount: Number(values.clients),
    makeNetwork: () => (values.inside ? Namespaces.create(nodeCount) : Proxies.create(nodeCount)),
    interrupted: interruption.signal,
    print: (line) => console.log(line),
  });
  const reason = await run.run();
  await run.close(reason !== null);
  if (reason !== null) console.log(`FAILED (seed ${values.seed}): ${reason}`);
  else
    console.log(
      `passed${interruption.signal.aborted ? ' until it was interrupted' : ''} (seed ${values.seed})`,
    );
  return reason === null ? 0 : 1;
}

if (!values.inside && !values.proxies && canEnter()) process.exitCode = await enter();
else process.exit(await torture());
