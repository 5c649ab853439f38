import type { LogBase } from '../../raft/index.ts';
import type { ClusterId } from '../../shared/index.ts';
import { asClusterId, asIndex, asTerm, fromUtf8, QuorateError, utf8 } from '../../shared/index.ts';
import { decodeConfiguration, encodeConfiguration } from '../../wire/index.ts';
import { damaged, decodeFrame, encodeFrame, viewOf } from './frame.ts';

const FORMAT_VERSION = 1;
const FIXED_BYTES = 36;
const DIGEST_BYTES = 4;

/**
 * What a snapshot is of. Nothing in it is of one node: the same state gives the same bytes on every
 * node, so a transfer can go on from another one.
 */
export interface SnapshotHeader {
  readonly clusterId: ClusterId;
  /** The applied index that the rows reflect, its term, and the configuration in force there. */
  readonly base: LogBase;
  /** Of the state in the rows; null: nothing says it. */
  readonly digest: number | null;
}

/**
 * Body: version u32, index u64, term u64, index of the configuration u64, length of the cluster id
 * u32, length of the configuration u32, cluster id, configuration, then the digest u32 if there is one.
 */
export function encodeHeader({ clusterId, base, digest }: SnapshotHeader): Buffer {
  const cluster = utf8(clusterId);
  const configuration = encodeConfiguration(base.configuration.configuration);
  const fixed = Buffer.alloc(FIXED_BYTES);
  fixed.writeUInt32LE(FORMAT_VERSION, 0);
  fixed.writeBigUInt64LE(BigInt(base.index), 4);
  fixed.writeBigUInt64LE(BigInt(base.term), 12);
  fixed.writeBigUInt64LE(BigInt(base.configuration.index), 20);
  fixed.writeUInt32LE(cluster.length, 28);
  fixed.writeUInt32LE(configuration.length, 32);
  return encodeFrame({ kind: 'header', number: 0, rowCount: 0 }, [
    ...[fixed, cluster, configuration],
    encodeDigest(digest),
  ]);
}

function encodeDigest(digest: number | null): Buffer {
  if (digest === null) return Buffer.alloc(0);
  const bytes = Buffer.alloc(DIGEST_BYTES);
  bytes.writeUInt32LE(digest);
  return bytes;
}

/** Throws STORAGE_DAMAGED, or CONFIG_INVALID when a later version of the program wrote it. */
export function decodeHeader(bytes: Uint8Array): SnapshotHeader {
  const { body } = decodeFrame(bytes, 'header', 0);
  if (body.length < FIXED_BYTES) throw damaged('the header', `only ${body.length} bytes`);
  const view = viewOf(body);
  checkVersion(view.getUint32(0, true));
  const clusterEnd = FIXED_BYTES + view.getUint32(28, true);
  const end = clusterEnd + view.getUint32(32, true);
  const hasDigest = body.length === end + DIGEST_BYTES;
  if (!hasDigest && body.length !== end) throw damaged('the header', 'its parts do not fill it');
  return {
    clusterId: asClusterId(fromUtf8(body.subarray(FIXED_BYTES, clusterEnd))),
    base: {
      index: asIndex(numberAt(view, 4)),
      term: asTerm(numberAt(view, 12)),
      configuration: {
        index: asIndex(numberAt(view, 20)),
        configuration: decodeConfiguration(body.subarray(clusterEnd, end)),
      },
    },
    digest: hasDigest ? view.getUint32(end, true) : null,
  };
}

function checkVersion(version: number): void {
  if (version === FORMAT_VERSION) return;
  const message = `Cannot read a snapshot as format ${FORMAT_VERSION}: it has format ${version}`;
  throw new QuorateError('CONFIG_INVALID', message);
}

function numberAt(view: DataView, offset: number): number {
  const number = Number(view.getBigUint64(offset, true));
  if (!Number.isSafeInteger(number)) throw damaged('the header', `the number ${number}`);
  return number;
}
