import { expect } from 'chai';
import * as http2 from 'node:http2';
import { createGrpcPeerTransport } from '../../../src/transport/index.ts';
import { FLOW_WINDOW_BYTES } from '../../../src/transport/peer/limits.ts';
import { freeAddress, one, TestNodes, until } from '../../contract/peer-transport-support.ts';

describe('PeerTransport on gRPC', () => {
  it('lets a peer that dialled it have a whole window under way, on its connection and each stream', async () => {
    const nodes = new TestNodes(createGrpcPeerTransport);
    const { address } = await nodes.start(one, await freeAddress());
    const session = http2.connect(`http://${address}`);
    try {
      await until('the windows are wide', () => {
        const { initialWindowSize } = session.remoteSettings;
        const { remoteWindowSize } = session.state;
        return initialWindowSize === FLOW_WINDOW_BYTES && remoteWindowSize === FLOW_WINDOW_BYTES;
      });
      expect(session.remoteSettings.maxConcurrentStreams).to.equal(1);
    } finally {
      session.destroy();
      await nodes.stopAll();
    }
  });
});
