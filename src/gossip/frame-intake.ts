import { codeOf } from '../shared/index.ts';
import { decodeFrame } from '../wire/index.ts';
import type { GossipFrame } from '../wire/index.ts';
import type { Context } from './context.ts';

/** Null for what is no frame, another cluster's or this node's own. */
export function readFrame(context: Context, bytes: Uint8Array): GossipFrame | null {
  const frame = tryDecode(bytes);
  if (frame?.clusterId !== context.clusterId) return null;
  const { epoch, nodeId } = context.self.record;
  const isOwn = frame.sender.nodeId === nodeId && frame.sender.epoch === epoch;
  return isOwn ? null : frame;
}

function tryDecode(bytes: Uint8Array): GossipFrame | null {
  try {
    return decodeFrame(bytes);
  } catch (error) {
    if (codeOf(error) === 'PARAM_INVALID') return null;
    throw error;
  }
}
