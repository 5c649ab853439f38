import { describeOperation } from './history-operation.ts';
import type { HistoryOperation, KeyRequest } from './history-operation.ts';
import { carryOut, describeState, isSilent, missing } from './key-state.ts';
import type { KeyState } from './key-state.ts';

/** More possible pasts than this at once: the check gives up, and says so. */
const CONFIGURATIONS_MAX = 50_000;
/** So many states are named in a complaint. */
const STATES_SHOWN = 5;

/** One way in which what was asked so far may have happened. */
interface Configuration {
  readonly state: KeyState;
  /** Requests that happened already, but have not returned yet; ascending. */
  readonly happened: readonly number[];
  /** Requests of unknown outcome that did happen; ascending. */
  readonly used: readonly number[];
}

export interface KeyVerdict {
  /** null: there is an order that explains all answers. */
  readonly complaint: string | null;
  /** false: there were too many possibilities. */
  readonly isDecided: boolean;
  readonly exploredCount: number;
}

/**
 * Looks for an order of the requests of one key that explains each answer: Wing and Gong's search
 * in the form of Lowe's just-in-time linearization. It walks through calls and returns, keeps all
 * distinct ways in which things may have happened, and on each return drops those in which what
 * returned cannot have happened by then.
 */
export class KeySearch {
  readonly #operations: readonly HistoryOperation[];
  /** As asked, but all that was maybe written and never seen is the same: less to tell apart. */
  readonly #requests: readonly KeyRequest[];
  readonly #requestNames: readonly string[];
  /** Called and not returned. */
  readonly #pending = new Set<number>();
  /** Called, and will never return. */
  #unknown: number[] = [];
  #configurations: readonly Configuration[] = [{ state: missing, happened: [], used: [] }];
  #exploredCount = 0;

  /** `operations`: all of one key. */
  constructor(operations: readonly HistoryOperation[]) {
    this.#operations = operations;
    const seen = valuesSeen(operations);
    this.#requests = operations.map((operation) => withoutUnseen(operation, seen));
    this.#requestNames = this.#requests.map((request) => JSON.stringify(request));
  }

  run(): KeyVerdict {
    for (const { place, isReturn } of eventsOf(this.#operations)) {
      const operation = this.#at(place);
      if (!isReturn) {
        if (operation.returnedAt === null) this.#unknown.push(place);
        else this.#pending.add(place);
        continue;
      }
      const next = this.#afterReturn(place);
      if (next === null)
        return this.#verdict(`too many possible orders at ${describeOperation(operation)}`, false);
      if (next.length === 0) return this.#verdict(this.#complaintAbout(operation), true);
      this.#configurations = next;
      this.#pending.delete(place);
      this.#forgetUsed();
    }
    return this.#verdict(null, true);
  }

  /** All ways in which `place` has happened by now; null when there are too many. */
  #afterReturn(place: number): readonly Configuration[] | null {
    const found = new Map<string, Configuration>();
    const seen = new Set<string>();
    const work = [...this.#configurations];
    for (let one = work.pop(); one !== undefined; one = work.pop()) {
      const configuration = this.#absorb(one);
      const name = nameOf(configuration);
      if (seen.has(name)) continue;
      seen.add(name);
      if (seen.size > CONFIGURATIONS_MAX) return null;
      if (configuration.happened.includes(place)) {
        const returned = without(configuration, place);
        found.set(nameOf(returned), returned);
      } else work.push(...this.#successors(configuration));
    }
    this.#exploredCount += seen.size;
    return [...found.values()];
  }

  /** Requests of unknown outcome that happened for sure are no longer of interest. */
  #forgetUsed(): void {
    const [only, ...others] = this.#configurations;
    if (only === undefined || others.length > 0 || only.used.length === 0) return;
    this.#unknown = this.#unknown.filter((place) => !only.used.includes(place));
    this.#configurations = [{ ...only, used: [] }];
  }

  /** What can happen and changes nothing happens at once: later it would not help more. */
  #absorb(configuration: Configuration): Configuration {
    const { state, happened } = configuration;
    const silent = [...this.#pending].filter(
      (place) => !happened.includes(place) && isSilent(state, this.#requestAt(place)),
    );
    return silent.length === 0
      ? configuration
      : { ...configuration, happened: sorted([...happened, ...silent]) };
  }

  #successors(configuration: Configuration): readonly Configuration[] {
    const { happened } = configuration;
    return [...this.#pending]
      .filter((place) => !happened.includes(place))
      .flatMap((place) => this.#happen(configuration, place));
  }

  /**
   * `place` happens, maybe after requests of unknown outcome. One of those that nobody sees before
   * it is overwritten may as well never have happened: so only those count that come right before
   * somebody whose answer depends on them.
   */
  #happen(from: Configuration, place: number): readonly Configuration[] {
    const request = this.#requestAt(place);
    const happened = sorted([...from.happened, place]);
    const after = (before: Configuration): readonly Configuration[] =>
      carryOut(before.state, request).map((state) => ({ ...before, state, happened }));
    const reached = after(from);
    if (!dependsOnState(request, reached.length > 0)) return reached;
    return [...reached, ...this.#withUnknown(from, this.#unknown).flatMap(after)];
  }

  /** What requests of unknown outcome may make of it: any one, then such that have a condition. */
  #withUnknown(from: Configuration, places: readonly number[]): readonly Configuration[] {
    return this.#distinct(places.filter((place) => !from.used.includes(place)))
      .flatMap((place) => {
        const used = sorted([...from.used, place]);
        return carryOut(from.state, this.#requestAt(place))
          .filter((state) => state !== from.state)
          .map((state) => ({ ...from, state, used }));
      })
      .flatMap((changed) => [changed, ...this.#withUnknown(changed, this.#conditional)]);
  }

  /** Of those that ask for the very same, which one it was makes no difference. */
  #distinct(places: readonly number[]): readonly number[] {
    const first = new Map<string, number>();
    for (const place of places) {
      const name = this.#requestNames[place] ?? '';
      if (!first.has(name)) first.set(name, place);
    }
    return [...first.values()];
  }

  get #conditional(): readonly number[] {
    return this.#unknown.filter((place) => this.#requestAt(place).kind === 'compareAndSet');
  }

  #complaintAbout(operation: HistoryOperation): string {
    const states = [...new Set(this.#configurations.map(({ state }) => describeState(state)))];
    const shown = states.slice(0, STATES_SHOWN).join(' or ');
    const others = [...this.#pending]
      .map((place) => this.#at(place))
      .filter((other) => other !== operation)
      .map(describeOperation);
    const meanwhile = others.length === 0 ? '' : `; meanwhile: ${others.join(', ')}`;
    return `${describeOperation(operation)} fits no order: before, the key held ${shown}${meanwhile}`;
  }

  #requestAt(place: number): KeyRequest {
    const request = this.#requests[place];
    if (request === undefined) throw new Error(`There is no request ${place}`);
    return request;
  }

  #at(place: number): HistoryOperation {
    const operation = this.#operations[place];
    if (operation === undefined) throw new Error(`There is no operation ${place}`);
    return operation;
  }

  #verdict(complaint: string | null, isDecided: boolean): KeyVerdict {
    return { complaint, isDecided, exploredCount: this.#exploredCount };
  }
}

const unseenValue = 'what nobody read';

/** Values that an answer or a condition speaks of. */
function valuesSeen(operations: readonly HistoryOperation[]): ReadonlySet<string | null> {
  const seen = new Set<string | null>();
  for (const { request } of operations) {
    if (request.kind === 'get') seen.add(request.value);
    if (request.kind === 'compareAndSet' && 'value' in request.expected) {
      seen.add(request.expected.value);
    }
  }
  return seen;
}

function withoutUnseen(
  { request, returnedAt }: HistoryOperation,
  seen: ReadonlySet<string | null>,
): KeyRequest {
  const isWrite = request.kind === 'put' || request.kind === 'compareAndSet';
  if (!isWrite || returnedAt !== null || seen.has(request.value)) return request;
  return { ...request, value: unseenValue };
}

/** Whether something unseen before it could change what comes of it. */
function dependsOnState(request: KeyRequest, isPossible: boolean): boolean {
  if (request.kind === 'put') return false;
  if (request.kind === 'get') return true;
  return !isPossible || (request.kind === 'compareAndSet' && request.swapped === undefined);
}

interface HistoryEvent {
  readonly place: number;
  readonly isReturn: boolean;
  readonly at: number;
}

/** In the order of time; of two at once the call comes first, as they may have overlapped. */
function eventsOf(operations: readonly HistoryOperation[]): readonly HistoryEvent[] {
  const events: HistoryEvent[] = [];
  for (const [place, { invokedAt, returnedAt }] of operations.entries()) {
    events.push({ place, isReturn: false, at: invokedAt });
    if (returnedAt !== null) events.push({ place, isReturn: true, at: returnedAt });
  }
  return events.sort((a, b) => a.at - b.at || Number(a.isReturn) - Number(b.isReturn));
}

const without = (configuration: Configuration, place: number): Configuration => ({
  ...configuration,
  happened: configuration.happened.filter((other) => other !== place),
});

const sorted = (places: readonly number[]): readonly number[] => [...places].sort((a, b) => a - b);

const nameOf = ({ state, happened, used }: Configuration): string =>
  `${state.floor} ${state.revision ?? '?'} ${happened.join()} ${used.join()} ${state.value === null ? '-' : `+${state.value}`}`;
