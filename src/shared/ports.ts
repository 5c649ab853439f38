/** Cancels what was scheduled; may be called twice. */
export type Cancel = () => void;

/** Time as a driver sees it. Cores get times as arguments instead. */
export interface Clock {
  /** Monotonic milliseconds of this process; only differences mean something. */
  monotonicMs(): number;
  /** Unix milliseconds; for people and for epochs, never for decisions between machines. */
  wallMs(): number;
  /** Runs once after `delayMs`. */
  after(delayMs: number, run: () => void): Cancel;
  /** Runs `run` after the inputs that already wait have been read (one turn of the event loop). */
  afterPendingInput(run: () => void): void;
}

/** Randomness as a value: seeded in simulations. */
export interface Random {
  /** Uniform integer in [0, bound). */
  intBelow(bound: number): number;
  /** Lower-case hexadecimal digits of `byteCount` random bytes. */
  hex(byteCount: number): string;
}

type LogFields = Readonly<Record<string, unknown>>;

/** Structured log: the fields first, then one sentence without a full stop. */
export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}
