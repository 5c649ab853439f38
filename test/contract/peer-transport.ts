import { expect } from 'chai';
import { asPeerId, fromUtf8, utf8, withLineage } from '../../src/shared/index.ts';
import { HANDSHAKE } from '../../src/transport/index.ts';
import { describePeerCalls } from './peer-transport-calls.ts';
import { describePeerSnapshots } from './peer-transport-snapshots.ts';
import {
  append,
  cluster,
  codeOfRejection,
  connected,
  freeAddress,
  heartbeat,
  introduce,
  one,
  otherCluster,
  TestNodes,
  two,
  until,
} from './peer-transport-support.ts';
import type { TransportMaker } from './peer-transport-support.ts';

const empty = new Uint8Array(0);
const patienceMs = 8000;

/** What every PeerTransport keeps to; `newMaker` gives transports that can reach each other. */
export function describePeerTransport(engine: string, newMaker: () => TransportMaker): void {
  describe(`PeerTransport on ${engine}`, () => {
    let nodes: TestNodes;
    beforeEach(() => {
      nodes = new TestNodes(newMaker());
    });
    afterEach(() => nodes.stopAll());

    describeMessages(() => nodes);
    describePeerCalls(() => nodes);
    describeIdentity(() => nodes);
    describeLife(() => nodes);
    describePeerSnapshots(() => nodes);
  });
}

function describeMessages(nodes: () => TestNodes): void {
  it('send() delivers the messages of one turn in order, gathered in one batch', async () => {
    const [first, second] = await nodes().pair();
    for (let round = 0; round < 50; round++) first.transport.send(heartbeat(one, two, round));
    await until('50 messages', () => second.received.messages.length === 50);
    expect(second.received.messages).to.deep.equal(
      Array.from({ length: 50 }, (_, round) => heartbeat(one, two, round)),
    );
    expect(second.received.batches).to.have.length(1);
  });

  it('send() delivers the entries of an append', async () => {
    const [first, second] = await nodes().pair();
    const message = append(one, two, utf8('payload'));
    first.transport.send(message);
    await until('the append', () => second.received.messages.length === 1);
    const [got] = second.received.messages;
    if (got?.kind !== 'appendRequest') throw new Error('an append was sent');
    const entries = got.entries.map((entry) => ({ ...entry, payload: fromUtf8(entry.payload) }));
    expect({ ...got, entries: [] }).to.deep.equal({ ...message, entries: [] });
    expect(entries).to.deep.equal([{ index: 10, term: 3, kind: 'command', payload: 'payload' }]);
  });

  it('send() goes both ways at once', async () => {
    const [first, second] = await nodes().pair();
    first.transport.send(heartbeat(one, two, 1));
    second.transport.send(heartbeat(two, one, 2));
    await until(
      'both',
      () => first.received.messages.length + second.received.messages.length === 2,
    );
    expect(first.received.messages).to.deep.equal([heartbeat(two, one, 2)]);
    expect(second.received.messages).to.deep.equal([heartbeat(one, two, 1)]);
  });

  it('send() to nobody known is silent', async () => {
    const [first] = await nodes().pair();
    first.transport.send(heartbeat(one, asPeerId('n9@0000000000000009'), 1));
  });

  it('send() in the name of another node never reaches the handlers', async () => {
    const [first, second] = await nodes().pair();
    first.transport.send(heartbeat(asPeerId('n3@0000000000000003'), two, 1));
    await until('a complaint', () => second.log.complaints.length > 0);
    expect(second.log.complaints[0]).to.match(/breaks the protocol/);
    expect(second.received.messages).to.be.empty;
  });
}

function describeIdentity(nodes: () => TestNodes): void {
  it('refuses a node of another cluster: nothing of it reaches the handlers', async () => {
    const first = await nodes().start(one, await freeAddress(), otherCluster);
    const second = await nodes().start(two, await freeAddress());
    introduce(first, second);
    first.transport.send(heartbeat(one, two, 1));
    const call = first.transport.call(two, 'propose', empty, patienceMs);
    expect(await codeOfRejection(call)).to.equal('UNREACHABLE');
    await until('complaints', () => second.log.complaints.length > 0);
    expect(second.log.complaints[0]).to.match(/^Refused n1@.*its cluster is/);
    expect(first.log.complaints.join('\n')).to.match(/^Refused by n2 at /m);
    expect(second.received.messages).to.be.empty;
    expect(second.received.calls).to.be.empty;
  });

  it('tells a node from before a recovery which peer is of the cluster that goes on, and only it', async () => {
    const later = withLineage(cluster, 1_700_000_000, '5eed');
    const old = await nodes().start(one, await freeAddress());
    const recovered = await nodes().start(two, await freeAddress(), later);
    await old.transport.callAddress(recovered.address, HANDSHAKE, empty, patienceMs);
    await recovered.transport.callAddress(old.address, HANDSHAKE, empty, patienceMs);
    recovered.transport.setPeers(new Map([[one, old.address]]));
    await until('complaints', () => recovered.log.complaints.length > 0);
    expect(old.received.outdatedBy, 'nobody was dialled as a peer').to.be.empty;
    old.transport.setPeers(new Map([[two, recovered.address]]));
    old.transport.send(heartbeat(one, two, 1));
    await until('the news', () => old.received.outdatedBy.length > 0);
    const by = { cluster: later, peer: two, address: recovered.address };
    expect(old.received.outdatedBy[0]).to.deep.equal(by);
    const said =
      /the data of n1 is from before the cluster was recovered as c{32}\.1700000000\.5eed/;
    for (const node of [old, recovered]) expect(node.log.complaints.join('\n')).to.match(said);
    expect(recovered.received.messages).to.be.empty;
    expect(recovered.received.outdatedBy).to.be.empty;
  });

  it('refuses what is meant for another incarnation', async () => {
    const first = await nodes().start(one, await freeAddress());
    const second = await nodes().start(two, await freeAddress());
    const former = asPeerId('n2@00000000000000ff');
    first.transport.setPeers(new Map([[former, second.address]]));
    first.transport.send(heartbeat(one, former, 1));
    const call = first.transport.call(former, 'propose', empty, patienceMs);
    expect(await codeOfRejection(call)).to.equal('UNREACHABLE');
    expect(second.received.messages).to.be.empty;
    expect(second.received.calls).to.be.empty;
  });

  it('answers a handshake and nothing else before it knows its cluster', async () => {
    const first = await nodes().start(one, await freeAddress());
    const joiner = await nodes().start(two, await freeAddress(), null);
    introduce(first, joiner);
    const { address } = joiner;
    const { transport } = first;
    const answer = await transport.callAddress(address, HANDSHAKE, utf8('who'), patienceMs);
    expect(fromUtf8(answer)).to.equal('who');
    expect(joiner.received.calls).to.deep.equal([{ from: null, method: HANDSHAKE }]);
    const members = transport.callAddress(address, 'members', empty, patienceMs);
    expect(await codeOfRejection(members)).to.equal('UNREACHABLE');
    const call = transport.call(two, 'propose', empty, patienceMs);
    expect(await codeOfRejection(call)).to.equal('UNREACHABLE');
    expect(joiner.received.calls).to.have.length(1);
  });

  it('setIdentity() makes a joining node serve its peers and dial them', async () => {
    const first = await nodes().start(one, await freeAddress());
    const joiner = await nodes().start(two, await freeAddress(), null);
    introduce(first, joiner);
    const call = joiner.transport.call(one, 'propose', empty, patienceMs);
    expect(await codeOfRejection(call)).to.equal('UNREACHABLE');
    joiner.transport.setIdentity(cluster);
    await connected(first, joiner);
    const answer = await joiner.transport.call(one, 'propose', utf8('in'), patienceMs);
    expect(fromUtf8(answer)).to.equal('in');
  });

  it('callAddress() of a joining node is served without a name', async () => {
    const first = await nodes().start(one, await freeAddress());
    const joiner = await nodes().start(two, await freeAddress(), null);
    await joiner.transport.callAddress(first.address, 'members', empty, patienceMs);
    expect(first.received.calls).to.deep.equal([{ from: null, method: 'members' }]);
  });

  it('callAddress() from another cluster gets a handshake and else CONFLICT', async () => {
    const first = await nodes().start(one, await freeAddress());
    const other = await nodes().start(two, await freeAddress(), otherCluster);
    await other.transport.callAddress(first.address, HANDSHAKE, empty, patienceMs);
    const call = other.transport.callAddress(first.address, 'members', empty, patienceMs);
    expect(await codeOfRejection(call)).to.equal('CONFLICT');
    expect(first.received.calls).to.deep.equal([{ from: null, method: HANDSHAKE }]);
  });
}

function describeLife(nodes: () => TestNodes): void {
  it('finds a peer again that was restarted at the same address', async () => {
    const [first, second] = await nodes().pair();
    await second.transport.stop();
    await until('the loss', () => !first.transport.status().some((peer) => peer.connected));
    const again = await nodes().start(two, second.address);
    introduce(first, again);
    await connected(first, again);
    first.transport.send(heartbeat(one, two, 5));
    await until('a message', () => again.received.messages.length > 0);
    expect(again.received.messages).to.deep.include(heartbeat(one, two, 5));
  });

  it('setPeers() moves a peer to its new address', async () => {
    const [first, second] = await nodes().pair();
    await second.transport.stop();
    const moved = await nodes().start(two, await freeAddress());
    introduce(first, moved);
    await connected(first, moved);
    const answer = await first.transport.call(two, 'propose', utf8('moved'), patienceMs);
    expect(fromUtf8(answer)).to.equal('moved');
  });

  it('setPeers() without a peer ends what goes to it', async () => {
    const [first, second] = await nodes().pair();
    second.received.answer = () => new Promise(() => undefined);
    const call = codeOfRejection(first.transport.call(two, 'propose', empty, patienceMs));
    await until('the call there', () => second.received.calls.length === 1);
    first.transport.setPeers(new Map());
    expect(await call).to.equal('UNKNOWN_OUTCOME');
    expect(first.transport.status()).to.be.empty;
  });

  it('setPeers() with the same addresses leaves connections alone', async () => {
    const [first, second] = await nodes().pair();
    introduce(first, second);
    expect(first.transport.status()).to.deep.equal([
      { peer: two, address: second.address, connected: true, droppedMessages: 0 },
    ]);
  });

  it('start() is CONFIG_INVALID at an address in use', async () => {
    const first = await nodes().start(one, await freeAddress());
    const second = nodes().create(two, first.address);
    const error: unknown = await second.transport
      .start(second.received)
      .catch((reason: unknown) => reason);
    expect(error).to.include({
      code: 'CONFIG_INVALID',
      message: `Cannot listen as --raft ${first.address}: address in use`,
    });
  });

  it('stop() twice is fine and leaves only STOPPED', async () => {
    const [first, second] = await nodes().pair();
    await first.transport.stop();
    await first.transport.stop();
    const { transport } = first;
    transport.send(heartbeat(one, two, 1));
    expect(await codeOfRejection(transport.call(two, 'x', empty, 100))).to.equal('STOPPED');
    const { address } = second;
    expect(await codeOfRejection(transport.callAddress(address, 'x', empty, 100))).to.equal(
      'STOPPED',
    );
  });
}
