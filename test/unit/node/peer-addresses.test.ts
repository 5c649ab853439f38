import { expect } from 'chai';
import { emptyConfiguration } from '../../../src/raft/index.ts';
import type { MemberView } from '../../../src/gossip/index.ts';
import { peerAddresses } from '../../../src/node/cluster/peer-addresses.ts';
import { configurationOf, member, peer } from '../../support/raft-fixtures.ts';

const view = (name: string, status: MemberView['status'], raftAddress: string): MemberView => {
  const { nodeId, incarnation } = member(name);
  const places = { address: '', zone: '', httpAddress: '', raftAddress };
  return { ...places, nodeId, incarnation, epoch: 1, counter: 0, status };
};

const configuration = configurationOf('a b c');
const known = { self: peer('a'), host: null, leader: null };

describe('peerAddresses', () => {
  it('peerAddresses names all members but this node', () => {
    const found = peerAddresses(configuration, [], known);
    expect([...found]).to.deep.equal([
      [peer('b'), 'b:1'],
      [peer('c'), 'c:1'],
    ]);
  });

  it('peerAddresses believes gossip about a member that is alive elsewhere', () => {
    const gossip = [view('b', 'alive', 'b:9'), view('c', 'suspect', 'c:9')];
    const found = peerAddresses(configuration, gossip, known);
    expect([...found.values()]).to.deep.equal(['b:9', 'c:1']);
  });

  it('peerAddresses finds one that joined later, so that he can be answered when he leads', () => {
    const found = peerAddresses(configuration, [view('d', 'alive', 'd:1')], known);
    expect(found.get(peer('d'))).to.equal('d:1');
  });

  it('peerAddresses finds the next incarnation of a member, beside the old one', () => {
    const found = peerAddresses(configuration, [view('b2', 'alive', 'b:1')], known);
    expect(found.get(peer('b2'))).to.equal('b:1');
  });

  it('peerAddresses leaves out those who were removed and strangers taken for dead', () => {
    const old = { ...configuration, removed: [peer('e')] };
    const gossip = [view('e', 'alive', 'e:1'), view('f', 'dead', 'f:1')];
    expect(peerAddresses(old, gossip, known).size).to.equal(2);
  });

  it('peerAddresses keeps a leader that is being removed: his removal waits for answers', () => {
    const old = { ...configuration, removed: [peer('e')] };
    const gossip = [view('e', 'left', 'e:1')];
    const found = peerAddresses(old, gossip, { ...known, leader: peer('e') });
    expect(found.get(peer('e'))).to.equal('e:1');
  });

  it('peerAddresses keeps voters that leave until the joint change is over', () => {
    const joint = {
      ...configuration,
      outgoingVoters: [peer('e')],
      leaving: [member('e')],
      removed: [peer('e')],
    };
    expect(peerAddresses(joint, [], known).get(peer('e'))).to.equal('e:1');
    const gossip = [view('e', 'alive', 'e:9')];
    expect(peerAddresses(joint, gossip, known).get(peer('e'))).to.equal('e:9');
  });

  it('peerAddresses lets a node without a configuration answer whoever let it in', () => {
    const found = peerAddresses(emptyConfiguration, [], {
      ...known,
      self: peer('d'),
      host: member('a'),
    });
    expect(found.get(peer('a'))).to.equal('a:1');
  });
});
