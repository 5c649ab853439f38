import { QuorateError, utf8 } from '../shared/index.ts';
import { gossipLimits } from '../wire/index.ts';
import type { GossipSelf } from './types.ts';

/** Throws QuorateError CONFIG_INVALID for what peers would refuse. */
export function checkSelf(self: GossipSelf): void {
  const { addressBytesMax, epochMax, nodeIdBytesMax, zoneBytesMax } = gossipLimits;
  const texts = [
    ['node id', self.nodeId, nodeIdBytesMax],
    ['zone', self.zone, zoneBytesMax],
    ['gossip address', self.address, addressBytesMax],
    ['HTTP address', self.httpAddress, addressBytesMax],
    ['raft address', self.raftAddress, addressBytesMax],
  ] as const;
  for (const [name, text, bytesMax] of texts)
    if (utf8(text).length > bytesMax)
      throw invalid(`${name} must have at most ${bytesMax} bytes: found ${text}`);
  if (self.nodeId === '' || self.address === '')
    throw invalid(`node id and gossip address must not be empty: found '${self.nodeId}'`);
  if (!Number.isSafeInteger(self.epoch) || self.epoch < 0 || self.epoch > epochMax)
    throw invalid(`epoch must be within 0 and ${epochMax}: found ${self.epoch}`);
}

const invalid = (found: string): QuorateError =>
  new QuorateError('CONFIG_INVALID', `Cannot gossip as ${found}`);
