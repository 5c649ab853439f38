import { Command, CommanderError, InvalidArgumentError } from 'commander';
import type { Config } from '../config/index.ts';
import { codeOf, QuorateError } from '../shared/index.ts';
import type { Environment } from './arguments.ts';
import { addServeFlags, configFrom, normalizeArguments, usageMessage } from './arguments.ts';
import { runLocalCluster } from './local-cluster.ts';
import { localNodeFlags } from './local-node.ts';
import type { OfflineTools } from './offline.ts';
import { addLogCommands, addRecoverCommand } from './offline.ts';
import { checkPortsAreFree, forgetLocalData, localNodesMax } from './local-data.ts';

/** What the process gives to the command line; main.ts is the only one who has it. */
export interface Surroundings extends Environment {
  readonly argv: readonly string[];
  /** The package's folder. */
  readonly root: string;
  readonly version: string;
  readonly launch: readonly string[];
  /** Runs a node until it is told to stop; resolves with the exit code. */
  readonly serve: (config: Config) => Promise<number>;
  readonly offline: OfflineTools;
  /** Resolves at the first request to stop. */
  readonly stopRequested: () => Promise<void>;
  /** Whether somebody listens at this port of this machine; by default it is tried. */
  readonly isTaken?: (port: number) => Promise<boolean>;
  readonly writeOut: (text: string) => void;
  readonly writeError: (text: string) => void;
}

/** Runs the command line and resolves with the exit code: 0 done, 1 failed, 2 refused. */
export async function runCommandLine(surroundings: Surroundings): Promise<number> {
  let exitCode = 0;
  const program = buildProgram(surroundings, (code) => (exitCode = code));
  try {
    await program.parseAsync(normalizeArguments(surroundings.argv), { from: 'user' });
    return exitCode;
  } catch (error) {
    if (isWithoutCommand(error)) surroundings.writeError(program.helpInformation());
    return refusal(error, surroundings);
  }
}

/** `quorate` alone: what it can do is the best answer. */
const isWithoutCommand = (error: unknown): boolean =>
  error instanceof CommanderError && error.code === 'commander.help';

function refusal(error: unknown, { writeError }: Surroundings): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0;
    if (isWithoutCommand(error)) return 2;
    writeError(`${usageMessage(error)}\n`);
    return 2;
  }
  if (error instanceof QuorateError) {
    writeError(`${error.message}\n`);
    return codeOf(error) === 'CONFIG_INVALID' ? 2 : 1;
  }
  throw error;
}

function buildProgram(surroundings: Surroundings, exit: (code: number) => void): Command {
  const program = new Command('quorate')
    .description('A replicated list of things to watch, and a quorum that says when one is down')
    .version(`quorate ${surroundings.version}`, '-V, --version', 'print the version')
    .exitOverride()
    .configureOutput({ writeOut: surroundings.writeOut, writeErr: () => undefined })
    .showSuggestionAfterError(false);
  program.addHelpText(
    'after',
    '\nTo look around: quorate local. The flags of a node: quorate serve --help.',
  );
  addServe(program, surroundings, exit);
  addLocal(program, surroundings, exit);
  addLogCommands(program, surroundings.offline, exit);
  addRecoverCommand(program, surroundings.offline, exit);
  return program;
}

function addServe(
  program: Command,
  surroundings: Surroundings,
  exit: (code: number) => void,
): void {
  addServeFlags(program.command('serve').description('run a node').allowExcessArguments(false))
    .version(`quorate ${surroundings.version}`, '-V, --version', 'print the version')
    .action(async (options: Record<string, unknown>) => {
      exit(await surroundings.serve(configFrom(options, surroundings)));
    });
}

function addLocal(
  program: Command,
  surroundings: Surroundings,
  exit: (code: number) => void,
): void {
  program
    .command('local')
    .description('run a cluster on this machine, or with N only node N of it')
    .argument('[N]', `1 to ${localNodesMax}: this node alone`)
    .argument('[flags...]', 'flags of quorate serve; they win over its own')
    .option('--nodes <COUNT>', 'size of the cluster', parseNodeCount, 3)
    .option('--clean', 'forget its data first')
    .allowUnknownOption()
    .action(async (_n: unknown, _flags: unknown, options: LocalOptions, command: Command) => {
      exit(await runLocal({ ...splitArguments(command.args), options }, surroundings));
    });
}

/** A first word that is no flag is N; all the rest is for `quorate serve`, values included. */
function splitArguments(args: readonly string[]): Pick<LocalCall, 'n' | 'extra'> {
  const [first, ...rest] = args;
  if (first === undefined || first.startsWith('-')) return { n: undefined, extra: args };
  return { n: nodeNumber(first), extra: rest };
}

interface LocalOptions {
  readonly nodes: number;
  readonly clean?: boolean;
}

/** Long enough to see how the others go on without it. */
const awayMs = 10_000;

interface LocalCall {
  readonly n: number | undefined;
  readonly options: LocalOptions;
  readonly extra: readonly string[];
}

async function runLocal(call: LocalCall, surroundings: Surroundings): Promise<number> {
  const { root, launch, writeOut } = surroundings;
  if (call.options.clean === true) {
    await forgetLocalData({ root, ...(call.n !== undefined && { n: call.n }) });
  }
  if (call.n !== undefined) {
    const argv = ['serve', ...localNodeFlags(call.n, root), ...call.extra];
    return runCommandLine({ ...surroundings, argv });
  }
  const extraFlags = call.extra;
  const { nodes } = call.options;
  await checkPortsAreFree(nodes, surroundings.isTaken);
  return runLocalCluster(
    { nodes, root, extraFlags, launch, awayMs, write: (line) => writeOut(`${line}\n`) },
    surroundings.stopRequested(),
  );
}

const isNodeNumber = (n: number): boolean => Number.isInteger(n) && n >= 1 && n <= localNodesMax;

function nodeNumber(text: string): number {
  if (isNodeNumber(Number(text))) return Number(text);
  throw new QuorateError(
    'CONFIG_INVALID',
    `Cannot start node ${text}: accepted is 1 to ${localNodesMax}`,
  );
}

function parseNodeCount(text: string): number {
  if (isNodeNumber(Number(text))) return Number(text);
  throw new InvalidArgumentError(`accepted is 1 to ${localNodesMax}`);
}
