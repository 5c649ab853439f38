import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';

/** Commands on the data of a node that does not run; each resolves with the exit code. */
export interface OfflineTools {
  readonly inspectLog: (options: {
    readonly dataDir: string;
    readonly json: boolean;
    readonly from: number | null;
    readonly to: number | null;
  }) => Promise<number>;
  readonly verify: (dataDir: string) => Promise<number>;
  readonly recover: (options: {
    readonly dataDirs: readonly string[];
    readonly isConfirmed: boolean;
  }) => Promise<number>;
}

interface InspectFlags {
  readonly dataDir: string;
  readonly json?: boolean;
  readonly from?: number;
  readonly to?: number;
}

const dataDirFlag = ['--dataDir <DIR>', 'data directory of a node that does not run'] as const;

/** `quorate log inspect` and `quorate log verify`. */
export function addLogCommands(
  program: Command,
  tools: OfflineTools,
  exit: (code: number) => void,
): void {
  const log = program.command('log').description('look at the log of a node that does not run');
  log
    .command('inspect')
    .description('show what the segments hold; with --from or --to also entries')
    .requiredOption(...dataDirFlag)
    .option('--json', 'as one JSON document')
    .option('--from <INDEX>', 'first entry to show', parseIndex)
    .option('--to <INDEX>', 'last entry to show', parseIndex)
    .allowExcessArguments(false)
    .action(async ({ dataDir, json = false, from, to }: InspectFlags) => {
      exit(await tools.inspectLog({ dataDir, json, from: from ?? null, to: to ?? null }));
    });
  log
    .command('verify')
    .description('check log, state and snapshots; exit code 1 when something is wrong')
    .requiredOption(...dataDirFlag)
    .allowExcessArguments(false)
    .action(async ({ dataDir }: { readonly dataDir: string }) => {
      exit(await tools.verify(dataDir));
    });
}

interface RecoverFlags {
  readonly dataDir: readonly string[];
  readonly yes?: boolean;
}

/** `quorate recover`. */
export function addRecoverCommand(
  program: Command,
  tools: OfflineTools,
  exit: (code: number) => void,
): void {
  program
    .command('recover')
    .description('go on with one node after the majority is lost for good')
    .requiredOption(
      '--dataDir <DIR>',
      'data directory of a node that is left; may be repeated, the best one is taken',
      (one: string, before: readonly string[] | undefined) => [...(before ?? []), one],
    )
    .option('--yes', 'do it; without it only what would be done is shown')
    .allowExcessArguments(false)
    .action(async ({ dataDir, yes = false }: RecoverFlags) => {
      exit(await tools.recover({ dataDirs: dataDir, isConfirmed: yes }));
    });
}

function parseIndex(text: string): number {
  const index = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(index) && index >= 1) return index;
  throw new InvalidArgumentError('accepted is an index of the log, from 1 on');
}
