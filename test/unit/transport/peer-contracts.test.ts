import { seededRandom } from '../../../src/shared/index.ts';
import {
  createGrpcPeerTransport,
  createMemoryPeerTransport,
  MemoryNetwork,
} from '../../../src/transport/index.ts';
import { describePeerTransport } from '../../contract/peer-transport.ts';
import { realClock } from '../../contract/peer-transport-support.ts';

describePeerTransport('gRPC', () => createGrpcPeerTransport);

describePeerTransport('memory', () => {
  const network = new MemoryNetwork(realClock, seededRandom(1));
  return (init) => createMemoryPeerTransport(init, network);
});
