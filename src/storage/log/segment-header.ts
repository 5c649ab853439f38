import type { SegmentBody } from './bodies.ts';
import { putSegment } from './bodies.ts';
import { RecordBuilder } from './record.ts';
import type { BuiltRecord } from './record.ts';

/** The first record of a segment, which follows the record with chain value `previousChain`. */
export function buildSegmentHeader(
  body: SegmentBody,
  { sequence, previousChain }: { readonly sequence: number; readonly previousChain: number },
): BuiltRecord {
  const builder = new RecordBuilder();
  putSegment(builder.begin(), body);
  return builder.finish('segment', { sequence, offset: 0, previousChain });
}
