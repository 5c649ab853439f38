import type { Clock, ClusterId, Logger } from '../../shared/index.ts';
import { asClusterId, pause } from '../../shared/index.ts';

/** How long a new cluster waits for signs of an older one. */
const bootstrapWaitMs = 5_000;
const bootstrapAskAgainMs = 500;
const retryMsMin = 500;
const retryMsMax = 2_000;
const logEveryMs = 10_000;
const admittedMs = 250;

/** What a node at a known address says about itself. */
export interface Answer {
  /** null: it has no cluster. */
  readonly clusterId: ClusterId | null;
  /** Where its HTTP routes are. */
  readonly httpAddress: string;
}

export interface JoiningInit {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly joinAddresses: readonly string[];
  readonly gossipAddresses: readonly string[];
  /** Rejects when nobody answers. */
  readonly askHttp: (address: string) => Promise<Answer>;
  readonly askGossip: (address: string) => Promise<Answer>;
  /** Asks the node there to make this one a member; rejects with the reason. */
  readonly requestJoin: (httpAddress: string) => Promise<void>;
}

/** Finds a cluster at the addresses that the operator gave. */
export class Joining {
  readonly #init: JoiningInit;
  #stopped = false;

  constructor(init: JoiningInit) {
    this.#init = init;
  }

  get hasAddresses(): boolean {
    return this.#init.joinAddresses.length + this.#init.gossipAddresses.length > 0;
  }

  stop(): void {
    this.#stopped = true;
  }

  /**
   * True when some address answers within 5 s that it has a cluster; false at once when all of them
   * answer that they have none.
   */
  async findsCluster(): Promise<boolean> {
    const deadlineMs = this.#init.clock.monotonicMs() + bootstrapWaitMs;
    this.#tellWhere('Looking for a cluster before creating one, 5 s at most,');
    while (!this.#stopped && this.hasAddresses) {
      const answers = await this.#askAll();
      if (answers.some((answer) => (answer?.clusterId ?? null) !== null)) return true;
      if (answers.every((answer) => answer !== null)) return false;
      if (this.#init.clock.monotonicMs() >= deadlineMs) return false;
      await this.#sleep(bootstrapAskAgainMs);
    }
    return false;
  }

  /** Asks everyone in turn, for ever, until `isMember`. */
  async join(isMember: () => boolean): Promise<void> {
    let delayMs = retryMsMin;
    let loggedAtMs = -Infinity;
    if (!isMember()) this.#tellWhere('Asking to join a cluster');
    while (!this.#stopped && !isMember()) {
      const problem = await this.#tryAll(isMember);
      if (problem === null) {
        await this.#sleep(admittedMs); // Until the configuration arrives.
        continue;
      }
      const nowMs = this.#init.clock.monotonicMs();
      if (this.hasAddresses && nowMs - loggedAtMs >= logEveryMs) {
        loggedAtMs = nowMs;
        this.#init.logger.info({ problem }, `No cluster to join yet, trying again: ${problem}`);
      }
      await this.#sleep(delayMs);
      delayMs = Math.min(retryMsMax, delayMs * 2);
    }
  }

  #tellWhere(what: string): void {
    const { logger, joinAddresses, gossipAddresses } = this.#init;
    if (!this.hasAddresses) return;
    const addresses = joinAddresses.length > 0 ? joinAddresses : gossipAddresses;
    logger.info({ addresses }, `${what} at ${addresses.join(', ')}`);
  }

  /** null when some node agreed to let this one in. */
  async #tryAll(isMember: () => boolean): Promise<string | null> {
    const problems: string[] = [];
    for (const find of this.#places()) {
      if (this.#stopped || isMember()) return null;
      try {
        await this.#init.requestJoin(await find());
        return null;
      } catch (error) {
        problems.push(error instanceof Error ? error.message : String(error));
      }
    }
    // What somebody answered says more than that others are silent.
    return (
      problems.find((problem) => problem.includes('answers')) ??
      problems[0] ??
      'no --join or --gossipJoin address is given'
    );
  }

  /** Where to ask: HTTP addresses as given, gossip addresses by what answers there. */
  *#places(): Iterable<() => Promise<string>> {
    for (const address of this.#init.joinAddresses) yield () => Promise.resolve(address);
    for (const address of this.#init.gossipAddresses) {
      yield async () => (await this.#init.askGossip(address)).httpAddress;
    }
  }

  #askAll(): Promise<readonly (Answer | null)[]> {
    const { joinAddresses, gossipAddresses, askHttp, askGossip } = this.#init;
    const asked = [...joinAddresses.map(askHttp), ...gossipAddresses.map(askGossip)];
    return Promise.all(asked.map((answer) => answer.catch(() => null)));
  }

  #sleep(delayMs: number): Promise<void> {
    return pause(this.#init.clock, delayMs);
  }
}

/** First bytes of a question over a gossip exchange that needs no cluster: "who are you?". */
const whoQuestion = 'quorate who 1';

export const encodeWho = (): Uint8Array => new TextEncoder().encode(whoQuestion);

export const isWho = (bytes: Uint8Array): boolean =>
  bytes.length === whoQuestion.length && new TextDecoder().decode(bytes) === whoQuestion;

export const encodeAnswer = ({ clusterId, httpAddress }: Answer): Uint8Array =>
  new TextEncoder().encode(`${clusterId ?? ''}\n${httpAddress}`);

export function decodeAnswer(bytes: Uint8Array): Answer {
  const [clusterId = '', httpAddress = ''] = new TextDecoder().decode(bytes).split('\n');
  return { clusterId: clusterId === '' ? null : asClusterId(clusterId), httpAddress };
}
