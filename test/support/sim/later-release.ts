import type { Frame } from '../../../src/transport/peer/frames.ts';
import { peerService } from '../../../src/transport/peer/rpc.ts';
import { encodeEnvelope, supportedClusterVersion } from '../../../src/store/index.ts';
import { utf8 } from '../../../src/shared/index.ts';
import { decodeProposeResponse, encodeProposeRequest } from '../../../src/wire/index.ts';
import { envelopeOf } from './requests.ts';
import type { Scene } from './scene.ts';
import { happens } from './world.ts';

/** Field 1000 with the bytes 'later', and field 1001 with the number 1: no message has them. */
const unknownFields = Buffer.from([
  ...[0xc2, 0x3e, 5, ...Buffer.from('later')],
  ...[0xc8, 0x3e, 1],
]);

const callMsMax = 2_000;

/**
 * What a node of the next release sends in place of this frame: the same, with fields that this one
 * does not know, in the frame, in its body and in the messages that the body carries.
 */
export function encodeAsLaterRelease(frame: Frame): Buffer {
  const bytes = peerService.Control.requestSerialize(withContents(frame));
  return Buffer.concat([bytes, unknownFields]);
}

function withContents(frame: Frame): Frame {
  switch (frame.body) {
    case 'batch':
      return { body: 'batch', batch: { messages: frame.batch.messages.map(withUnknown) } };
    case 'requests': {
      const requests = frame.requests.requests.map((one) => ({
        ...one,
        body: withUnknown(one.body),
      }));
      return { body: 'requests', requests: { requests } };
    }
    case 'responses': {
      const responses = frame.responses.responses.map((one) => ({
        ...one,
        body: one.failure === null ? withUnknown(one.body) : one.body,
      }));
      return { body: 'responses', responses: { responses } };
    }
    case 'offer':
      return { body: 'offer', offer: { ...frame.offer, header: withUnknown(frame.offer.header) } };
    default:
      return frame;
  }
}

const withUnknown = (message: Uint8Array): Uint8Array => Buffer.concat([message, unknownFields]);

export const laterActs = {
  /** One of the steps of a rolling upgrade, or of taking it back. */
  laterRelease: (scene: Scene): void => {
    const node = scene.responsiveNode();
    if (node === undefined) return;
    const isLater = happens(scene.random, 600);
    scene.count('laterRelease');
    scene.note(`${node.name} becomes one of ${isLater ? 'the next' : 'this'} release`);
    scene.cluster.network.setRelease(node.address, isLater);
    node.stop();
  },

  /** A node of the next release forwards a command that this one does not know: it is refused. */
  laterCommand: (scene: Scene): void => {
    const node = scene.responsiveNode();
    const leader = node?.replica?.view.leader ?? null;
    if (!node?.running || leader === null || leader === node.self) return;
    scene.count('laterCommand');
    scene.note(`${node.name} forwards a later command to ${leader}`);
    node.running.transport
      .call(leader, 'propose', encodeProposeRequest([laterCommand()]), callMsMax)
      .then((body) => {
        const outcomes = decodeProposeResponse(body);
        if (outcomes.every(({ kind }) => kind === 'rejected')) return;
        scene.cluster.world.violate(`${leader} took a later command for one that it knows`);
      })
      .catch((error: unknown) => scene.note(`${node.name} got ${String(error)}`));
  },
};

function laterCommand(): Uint8Array {
  const put = { kind: 'put', key: utf8('later'), value: utf8('later') } as const;
  const envelope = encodeEnvelope({
    ...envelopeOf('', { then: [put] }),
    minVersion: supportedClusterVersion + 1,
  });
  return withUnknown(envelope);
}
