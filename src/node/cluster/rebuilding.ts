import type { Configuration, LogIdentity } from '../../raft/index.ts';
import type { Clock, Logger } from '../../shared/index.ts';
import { pause, QuorateError } from '../../shared/index.ts';
import type { LogInspection } from '../../storage/index.ts';
import type { DataDirectory } from './data-directory.ts';

/** How long the other members may take to prove that they go on without this node. */
const proofWaitMs = 30_000;
const askAgainMs = 500;

/** What the node at an HTTP address says of its cluster; rejects when it does not answer. */
export interface ClusterWitness {
  /** Incarnation of the member with this node id; null: no member has it. */
  readonly incarnation: string | null;
  /** A leader answered a linearizable read there: a majority is alive at this moment. */
  readonly hasQuorum: boolean;
}

export interface RebuildInit {
  readonly directory: DataDirectory;
  readonly nodeId: string;
  /** HTTP addresses that the operator gave. */
  readonly joinAddresses: readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
  readonly ask: (httpAddress: string, nodeId: string) => Promise<ClusterWitness>;
  readonly isStopped: () => boolean;
}

/**
 * What becomes of a node whose data cannot be trusted: it must neither vote nor acknowledge with it.
 * When the other members prove that a majority of them goes on, the data is set aside and this node
 * is a blank one that asks to be let in again, as a new incarnation. Else it rejects with
 * STORAGE_DAMAGED and leaves everything as it is: this may be the last copy of something.
 */
export async function rebuild(init: RebuildInit, damage: Error): Promise<void> {
  const { directory, logger, clock } = init;
  logger.error(
    { code: 'STORAGE_DAMAGED' },
    `${damage.message}: this node neither votes with it nor serves it`,
  );
  const known = knownFrom(await readable(directory));
  // Damage may hide that others came since: whoever the operator names may prove it all the same.
  const refusal = refusalOf(known);
  if (refusal !== null && init.joinAddresses.length === 0) throw stops(damage, refusal);
  const addresses = [...new Set([...known.httpAddresses, ...init.joinAddresses])];
  const problem = await proofOf(init, known, addresses);
  if (problem !== null) throw stops(damage, refusal === null ? problem : `${refusal}; ${problem}`);
  const time = new Date(clock.wallMs()).toISOString().replaceAll(':', '-');
  const aside = await directory.setAside(time, addresses);
  logger.warn(
    { aside, addresses },
    `The damaged data is in ${aside}; this node asks to be let in again as a new incarnation`,
  );
}

/** Nothing can be done about the damage at present. */
export class StaysDamaged extends QuorateError {}

/** What the readable part of a log says about the cluster. */
interface Known {
  readonly identity: LogIdentity | null;
  /** null: nothing is known of any member. */
  readonly configuration: Configuration | null;
  /** Of the other members. */
  readonly httpAddresses: readonly string[];
}

/** Damage beyond reading leaves nothing known. */
async function readable(directory: DataDirectory): Promise<LogInspection | null> {
  return directory.inspectLog().catch(() => null);
}

function knownFrom(inspection: LogInspection | null): Known {
  const recovered = inspection?.recovered ?? null;
  if (recovered === null) return { identity: null, configuration: null, httpAddresses: [] };
  const { identity, base, configurations } = recovered;
  const { configuration } = configurations.at(-1) ?? base.configuration;
  const others = configuration.members.filter(({ nodeId }) => nodeId !== identity.nodeId);
  const httpAddresses = others.map(({ httpAddress }) => httpAddress);
  const isEmpty = configuration.members.length === 0;
  return { identity, configuration: isEmpty ? null : configuration, httpAddresses };
}

/** Why nobody else can go on without this node, as far as its log says; null when others can. */
function refusalOf({ identity, configuration }: Known): string | null {
  if (identity !== null && configuration !== null) {
    const voters = configuration.members.filter(({ role }) => role === 'voter');
    const others = voters.filter(({ nodeId }) => nodeId !== identity.nodeId);
    if (others.length * 2 > voters.length) return null;
    if (others.length === 0) {
      return 'it was the only voter, so nobody else has what it knew; see quorate log verify';
    }
    const count = `the other ${others.length} of ${voters.length} voters`;
    return `${count} cannot let it in again without it; see quorate recover`;
  }
  return 'nothing in it says who the other members are; with --join it could ask them';
}

/** null as soon as somebody proves that the cluster goes on; else what stands against it. */
async function proofOf(
  init: RebuildInit,
  known: Known,
  addresses: readonly string[],
): Promise<string | null> {
  const { clock, logger } = init;
  const deadlineMs = clock.monotonicMs() + proofWaitMs;
  logger.info({ addresses }, `Asking ${addresses.join(', ')} whether the cluster goes on`);
  for (;;) {
    const problems: string[] = [];
    for (const address of addresses) {
      const problem = await problemAt(init, known, address);
      if (problem === null) return null;
      problems.push(problem);
    }
    if (clock.monotonicMs() >= deadlineMs || init.isStopped()) {
      return `no majority of the others could be asked (${problems.join('; ')}); start it again when they run`;
    }
    await pause(clock, askAgainMs);
  }
}

async function problemAt(
  { ask, nodeId }: RebuildInit,
  { identity }: Known,
  address: string,
): Promise<string | null> {
  try {
    const { incarnation, hasQuorum } = await ask(address, nodeId);
    if (!hasQuorum) return `${address} knows no leader`;
    if (identity === null || incarnation === identity.incarnation) return null;
    const found = incarnation === null ? 'none' : incarnation;
    return `the cluster of ${address} has ${found} in place of incarnation ${identity.incarnation} of ${nodeId}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const stops = (damage: Error, why: string): StaysDamaged =>
  new StaysDamaged('STORAGE_DAMAGED', `${damage.message}. It stays as it is: ${why}`, {
    cause: damage,
  });
