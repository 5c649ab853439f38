/** Bounds of what a client may send or hold; bytes are decoded bytes unless stated. */
export interface HttpLimits {
  readonly keyBytesMax: number;
  readonly valueBytesMax: number;
  /** Of an undecoded form body. */
  readonly formBytesMax: number;
  /** Of all form bodies being received at once; beyond it requests get 503. */
  readonly formBytesInFlightMax: number;
  /** Of method, target and version together. */
  readonly requestLineBytesMax: number;
  /** Of all headers together, on top of the request line. */
  readonly headerBytesMax: number;
  readonly parametersMax: number;
  readonly connectionsMax: number;
  /** Long answers being written at once; beyond it requests get 503. */
  readonly streamsMax: number;
  /** For the headers to arrive. */
  readonly headersTimeoutMs: number;
  /** For the whole request to arrive. */
  readonly requestTimeoutMs: number;
  /** Idle time of a kept-alive connection; load balancers and load tools wait up to 60 s. */
  readonly keepAliveTimeoutMs: number;
  /** Time in which a client must take the next 64 KiB of a long answer. */
  readonly stallTimeoutMs: number;
  /** How long a request waits for a leader unless it says `timeout=`. */
  readonly waitMsDefault: number;
  readonly waitMsMax: number;
}

export const httpLimitsDefault: HttpLimits = {
  keyBytesMax: 1024,
  valueBytesMax: 512 * 1024,
  formBytesMax: 2 * 1024 * 1024,
  formBytesInFlightMax: 64 * 1024 * 1024,
  requestLineBytesMax: 64 * 1024,
  headerBytesMax: 16 * 1024,
  parametersMax: 100,
  connectionsMax: 8192,
  streamsMax: 16,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  keepAliveTimeoutMs: 75_000,
  stallTimeoutMs: 30_000,
  waitMsDefault: 5_000,
  waitMsMax: 60_000,
};
