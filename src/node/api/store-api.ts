import type {
  KeyQuery,
  KeySummary,
  Pair,
  ReadOptions,
  StoreApi,
  WriteOptions,
} from '../../http/index.ts';
import { fromUtf8, QuorateError, utf8 } from '../../shared/index.ts';
import type { KeyRecord, Operation } from '../../store/index.ts';
import { noSpaceMessage } from '../../store/index.ts';
import type { ClusterMember } from '../cluster-member.ts';
import type { ReplicaState } from '../replica/index.ts';
import type { CurrentMember } from './current-member.ts';
import { readState } from './state-read.ts';

const pairsPerRead = 256;
const batchBytes = 1024 * 1024;

/** The store as HTTP sees it. */
export class NodeStoreApi implements StoreApi {
  readonly #current: CurrentMember;

  constructor(current: CurrentMember) {
    this.#current = current;
  }

  set(key: string, value: string, options: WriteOptions): Promise<void> {
    const operation = { kind: 'put', key: utf8(key), value: utf8(value) } as const;
    const noSpace = this.#current.member()?.replica.state.machine.noSpace ?? '';
    if (noSpace === '') return this.#run(operation, options);
    return this.#refuseWithoutSpace(options).then(() => this.#run(operation, options));
  }

  del(key: string, options: WriteOptions): Promise<void> {
    return this.#run({ kind: 'delete', key: utf8(key) }, options);
  }

  async get(key: string, { consistency, timeoutMs }: ReadOptions): Promise<Uint8Array | null> {
    const deadlineMs = this.#deadlineIn(timeoutMs);
    const { replica } = await this.#member(timeoutMs);
    if (consistency === 'linearizable') await replica.readBarrier(timeoutMs);
    const name = utf8(key);
    const { clock } = this.#current;
    return readState({ replica, clock, deadlineMs }, (state) => valueIn(state, name));
  }

  async *pairs(timeoutMs: number): AsyncIterable<readonly Pair[]> {
    const member = this.#current.member();
    if (member === null) return;
    let after: Uint8Array | undefined;
    for (;;) {
      const records = [
        ...member.replica.state.machine.keys({ ...(after && { after }), limit: pairsPerRead }),
      ];
      const last = records.at(-1);
      if (last === undefined) return;
      after = last.key;
      yield* this.#batches(member, records, timeoutMs);
    }
  }

  *keys({ prefix, after, limit }: KeyQuery): Iterable<KeySummary> {
    const machine = this.#current.member()?.replica.state.machine;
    if (machine === undefined) return;
    const query = {
      limit,
      ...(prefix !== '' && { prefix: utf8(prefix) }),
      ...(after !== '' && { after: utf8(after) }),
    };
    for (const record of machine.keys(query)) yield summaryOf(record);
  }

  /** Large values are read one by one, so that a batch stays near its size. */
  async *#batches(
    member: ClusterMember,
    records: readonly KeyRecord[],
    timeoutMs: number,
  ): AsyncIterable<readonly Pair[]> {
    let group: KeyRecord[] = [];
    let bytes = 0;
    for (const record of records) {
      group.push(record);
      bytes += record.key.length + record.valueBytes;
      if (bytes < batchBytes) continue;
      yield await this.#pairsOf(member, group, timeoutMs);
      group = [];
      bytes = 0;
    }
    if (group.length > 0) yield await this.#pairsOf(member, group, timeoutMs);
  }

  #pairsOf(
    { replica }: ClusterMember,
    records: readonly KeyRecord[],
    timeoutMs: number,
  ): Promise<readonly Pair[]> {
    const { clock } = this.#current;
    const deadlineMs = this.#deadlineIn(timeoutMs);
    return readState({ replica, clock, deadlineMs }, (state) => pairsIn(state, records));
  }

  async #run(operation: Operation, { timeoutMs, client }: WriteOptions): Promise<void> {
    const member = this.#current.member() ?? (await this.#member(timeoutMs));
    await member.runOperations([operation], timeoutMs, client);
  }

  /**
   * What would be refused need not fill the log first. A request that a session answered before the
   * disks were full gets that answer.
   */
  async #refuseWithoutSpace({ timeoutMs, client }: WriteOptions): Promise<void> {
    const { replica } = await this.#member(timeoutMs);
    await replica.readBarrier(timeoutMs);
    const { machine } = replica.state;
    if (machine.noSpace === '') return;
    if (client && machine.hasAnswered(client.clientId, client.requestId)) return;
    throw new QuorateError('STORE_FULL', noSpaceMessage(machine.noSpace));
  }

  #deadlineIn(timeoutMs: number): number {
    return this.#current.clock.monotonicMs() + timeoutMs;
  }

  #member(timeoutMs: number): Promise<ClusterMember> | ClusterMember {
    return this.#current.member() ?? this.#current.waitFor(timeoutMs);
  }
}

async function pairsIn(
  state: ReplicaState,
  records: readonly KeyRecord[],
): Promise<readonly Pair[]> {
  const values = await state.engine.readMany(records.map((record) => record.valueRow));
  const pairs: Pair[] = [];
  for (const [i, record] of records.entries()) {
    // Replaced since: the newer value is as good, a deleted key is left out.
    const value = values[i] ?? (await valueIn(state, record.key));
    if (value !== null) pairs.push([record.key, value]);
  }
  return pairs;
}

async function valueIn(
  { machine, engine }: ReplicaState,
  key: Uint8Array,
): Promise<Uint8Array | null> {
  for (let record = machine.key(key); record !== undefined; record = machine.key(key)) {
    const row = record.valueRow;
    const value = engine.peek(row) ?? (await engine.read(row));
    if (value !== null) return value;
    const now = machine.key(key);
    if (now?.valueRevision === record.valueRevision && now.modRevision === record.modRevision) {
      throw engine.missing(row);
    }
  }
  return null;
}

const summaryOf = (record: KeyRecord): KeySummary => ({
  key: fromUtf8(record.key),
  createRevision: record.createRevision,
  modRevision: record.modRevision,
  version: record.version,
  valueRevision: record.valueRevision,
  valueBytes: record.valueBytes,
});
