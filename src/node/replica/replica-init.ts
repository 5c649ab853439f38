import type { IndexedConfiguration, LogStore, RaftRole } from '../../raft/index.ts';
import type { Clock, Logger, PeerId, Random, Term } from '../../shared/index.ts';
import type { Files, KvFactory, SegmentedLog } from '../../storage/index.ts';
import type { Notice } from '../../store/index.ts';
import type { PeerTransport } from '../../transport/index.ts';
import type { ReplicaSettings } from './settings.ts';

export interface ReplicaEvents {
  onNotices(notices: readonly Notice[]): void;
  onRoleChange(change: { role: RaftRole; leader: PeerId | null; term: Term }): void;
  onConfiguration(configuration: IndexedConfiguration): void;
  /** The whole state was replaced by a snapshot. */
  onStateReplaced(): void;
  /** Disk or invariant failed: the process must stop. */
  onFatal(error: unknown): void;
}

export interface ProposedEntry {
  readonly result: 'applied' | 'refused' | 'lost' | 'unknown';
  /** Commands in it. */
  readonly count: number;
  readonly ms: number;
}

/** Told what is worth measuring; must be quick and must not throw. */
export interface ReplicaObserver {
  /** One durable write of the log with so many bytes of payload. */
  readonly logWritten: (ms: number, bytes: number) => void;
  /** What became of an entry of commands that this node proposed. */
  readonly proposed: (entry: ProposedEntry) => void;
  readonly snapshot: (action: 'made' | 'sent' | 'installed', result: 'ok' | 'failed') => void;
}

export const noObserver: ReplicaObserver = {
  logWritten: () => undefined,
  proposed: () => undefined,
  snapshot: () => undefined,
};

export interface ReplicaInit {
  readonly files: Files;
  readonly kvFactory: KvFactory;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly transport: Pick<PeerTransport, 'send' | 'setPeers' | 'call' | 'sendSnapshot'>;
  readonly dataDirectory: string;
  readonly log: LogStore & Pick<SegmentedLog, 'usage'>;
  readonly settings: ReplicaSettings;
  readonly events: ReplicaEvents;
  readonly observer?: ReplicaObserver;
}
