import { expect } from 'chai';
import {
  decodeExplanations,
  decodeKeys,
  encodeExplanations,
  encodeKeys,
} from '../../../../src/node/cluster/calls.ts';
import { asNodeId } from '../../../../src/shared/index.ts';

describe('Bodies of calls between nodes', () => {
  it('encodeKeys() and decodeKeys() keep keys and their order', () => {
    for (const keys of [[], ['a'], ['ü/:', '', 'k'.repeat(1024)]]) {
      expect(decodeKeys(encodeKeys(keys))).to.deep.equal(keys);
    }
  });

  it('encodeExplanations() and decodeExplanations() keep who decided and each reason', () => {
    const list = [
      { reason: '2 of 3 say DOWN; waiting', isWaiting: true },
      { reason: '', isWaiting: false },
    ];
    for (const said of [{ decidedBy: asNodeId('node2'), list }]) {
      expect(decodeExplanations(encodeExplanations(said))).to.deep.equal(said);
    }
  });
});
