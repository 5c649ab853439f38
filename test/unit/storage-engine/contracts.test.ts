import { describeKv } from '../../contract/kv.ts';
import { describeSnapshotReceiver } from '../../contract/snapshot-receiver.ts';
import { describeSnapshot } from '../../contract/snapshot.ts';
import { describeStateEngine } from '../../contract/state-engine.ts';
import { memoryPlace, removePlaces, rocksPlace } from './support.ts';

describe('storage/engine contracts', () => {
  after(removePlaces);

  describeKv('RocksDB', rocksPlace);
  describeKv('memory', memoryPlace);
  describeStateEngine('RocksDB', rocksPlace);
  describeStateEngine('memory', memoryPlace);
  describeSnapshot('RocksDB and the file system', rocksPlace);
  describeSnapshot('memory', memoryPlace);
  describeSnapshotReceiver('RocksDB and the file system', rocksPlace);
  describeSnapshotReceiver('memory', memoryPlace);
});
