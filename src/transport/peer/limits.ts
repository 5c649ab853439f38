import type { QueueBounds } from './bounded-queue.ts';

/** Version of proto/peer.proto. Streams of another version are refused. */
export const PROTOCOL_VERSION = 1;

const MEBIBYTE = 1024 * 1024;

/** Largest gRPC message. */
export const FRAME_BYTES_MAX = 16 * MEBIBYTE;
/** Largest Raft message or call body: leaves room for the frame around it. */
export const BODY_BYTES_MAX = FRAME_BYTES_MAX - 64 * 1024;
export const METHOD_BYTES_MAX = 32;
export const SNAPSHOT_CHUNK_BYTES_MAX = 4 * MEBIBYTE;
/** A receiver waits no longer for the next chunk: the sender's disk may hang, and another has one too. */
export const SNAPSHOT_SILENCE_MS = 30_000;

/** Gathering stops at this size; one larger item still goes in a frame of its own. */
export const GATHER_BYTES_MAX = MEBIBYTE;
/** Gathering stops at this many items; a frame with more is refused. */
export const GATHER_ITEMS_MAX = 4096;
/** A refusal that quotes what was found is cut here: it travels in a header. */
export const REASON_CHARS_MAX = 256;
/** Ids and addresses are far shorter; a hello with a longer text is refused. */
export const HELLO_TEXT_CHARS_MAX = 1024;
/** Written to a stream and not yet taken by the socket. */
export const UNFLUSHED_BYTES_MAX = 2 * MEBIBYTE;
export const UNFLUSHED_FRAMES_MAX = 2;

/** Per peer: heartbeats, votes, acknowledgements. Full: the oldest are dropped. */
export const CONTROL_QUEUE: QueueBounds = {
  itemsMax: 4096,
  bytesMax: 4 * MEBIBYTE,
  drop: 'oldest',
};
/** Per peer: appends. Full: the newest are dropped, Raft sends from the gap again. */
export const APPEND_QUEUE: QueueBounds = {
  itemsMax: 4096,
  bytesMax: 32 * MEBIBYTE,
  drop: 'newest',
};
/** Calls to one peer that wait for an answer. Full: OVERLOADED. */
export const CALLS_PENDING_MAX = 16_384;
export const CALL_BYTES_PENDING_MAX = 64 * MEBIBYTE;
/** Calls of one peer being served; above this its stream is not read. */
export const CALLS_SERVED_MAX = 16_384;
/** Streams of calls by address; above this they are refused. */
export const ADDRESS_STREAMS_MAX = 64;

/** Connections that may come in; three per peer are usual. */
export const CONNECTIONS_MAX = 512;
/** A TCP connection must stand within this time. */
export const CONNECT_TIMEOUT_MS = 1000;
/** The first frame of either side must come within this time. */
export const HELLO_TIMEOUT_MS = 2000;
export const RECONNECT_MS_MIN = 50;
export const RECONNECT_MS_MAX = 1000;
/** A link that stood this long starts again at the shortest delay. */
export const STABLE_AFTER_MS = 1000;
export const KEEPALIVE_INTERVAL_MS = 2000;
export const KEEPALIVE_TIMEOUT_MS = 3000;
/** Per stream, and per connection: what may travel unread. Sized for 100 ms at 40 MiB/s. */
export const FLOW_WINDOW_BYTES = 4 * MEBIBYTE;
/** The same complaint is logged once in this time. */
export const LOG_INTERVAL_MS = 30_000;
