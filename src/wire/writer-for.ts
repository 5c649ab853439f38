import { ProtoWriter } from './proto-writer.ts';

/** Messages below it share chunks: an allocation of its own costs more than writing one. */
const sharedBytesMax = 4 * 1024;
const shared = new ProtoWriter(2 * sharedBytesMax);

/** A writer for one message of about this size, to be written and taken before the next is begun. */
export function writerFor(messageBytes: number): ProtoWriter {
  if (messageBytes > sharedBytesMax) return new ProtoWriter(messageBytes);
  // What a broken assertion left half written.
  shared.take();
  return shared;
}
