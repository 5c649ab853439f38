import { expect } from 'chai';
import { asPeerId, fromUtf8, QuorateError, utf8 } from '../../src/shared/index.ts';
import { codeOfRejection, freeAddress, one, two, until } from './peer-transport-support.ts';
import type { TestNodes } from './peer-transport-support.ts';

const empty = new Uint8Array(0);
const patienceMs = 8000;

/** The part of the PeerTransport contract that is about calls. */
export function describePeerCalls(nodes: () => TestNodes): void {
  it('call() brings back what the peer answers, with the caller named', async () => {
    const [first, second] = await nodes().pair();
    const answer = await first.transport.call(two, 'propose', utf8('hello'), patienceMs);
    expect(fromUtf8(answer)).to.equal('hello');
    expect(second.received.calls).to.deep.equal([{ from: one, method: 'propose' }]);
  });

  it('call() keeps thousands of calls apart that are answered in any order', async () => {
    const [first, second] = await nodes().pair();
    second.received.answer = async (_from, _method, body) => {
      if ((body[0] ?? 0) % 3 === 0) await new Promise(setImmediate);
      return body;
    };
    const bodies = Array.from({ length: 3000 }, (_, i) => new Uint8Array([i & 0xff, i >> 8]));
    const answers = await Promise.all(
      bodies.map((body) => first.transport.call(two, 'propose', body, patienceMs)),
    );
    expect(answers.map((answer) => [...answer])).to.deep.equal(bodies.map((body) => [...body]));
  });

  it("call() rethrows the peer's QuorateError with its code and message", async () => {
    const [first, second] = await nodes().pair();
    second.received.answer = () =>
      Promise.reject(new QuorateError('NOT_LEADER', 'Cannot propose as asked: n3 leads'));
    const error: unknown = await first.transport
      .call(two, 'propose', empty, patienceMs)
      .catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(QuorateError);
    expect(error).to.include({ code: 'NOT_LEADER', message: 'Cannot propose as asked: n3 leads' });
  });

  it('call() is UNKNOWN_OUTCOME when the handler fails unexpectedly', async () => {
    const [first, second] = await nodes().pair();
    second.received.answer = () => {
      throw new TypeError('a bug');
    };
    const call = first.transport.call(two, 'propose', empty, patienceMs);
    expect(await codeOfRejection(call)).to.equal('UNKNOWN_OUTCOME');
    expect(second.log.complaints).to.have.length(1);
  });

  it('call() is UNREACHABLE for a peer without an address', async () => {
    const [first] = await nodes().pair();
    const call = first.transport.call(asPeerId('n9@9'), 'propose', empty, patienceMs);
    expect(await codeOfRejection(call)).to.equal('UNREACHABLE');
  });

  it('call() is UNREACHABLE when nobody listens there', async () => {
    const first = await nodes().start(one, await freeAddress());
    first.transport.setPeers(new Map([[two, await freeAddress()]]));
    const call = first.transport.call(two, 'propose', empty, patienceMs);
    expect(await codeOfRejection(call)).to.equal('UNREACHABLE');
  });

  it('call() is UNREACHABLE for an address that is none', async () => {
    const first = await nodes().start(one, await freeAddress());
    first.transport.setPeers(new Map([[two, 'no address']]));
    const call = first.transport.call(two, 'propose', empty, patienceMs);
    expect(await codeOfRejection(call)).to.equal('UNREACHABLE');
  });

  it('call() is UNKNOWN_OUTCOME when no answer comes in time, and a late one is ignored', async () => {
    const [first, second] = await nodes().pair();
    let answerLate: (body: Uint8Array) => void = () => undefined;
    second.received.answer = () =>
      new Promise((resolve) => {
        answerLate = resolve;
      });
    const call = first.transport.call(two, 'propose', empty, 50);
    expect(await codeOfRejection(call)).to.equal('UNKNOWN_OUTCOME');
    await until('the call there', () => second.received.calls.length === 1);
    answerLate(utf8('late'));
    second.received.answer = (_from, _method, body) => Promise.resolve(body);
    const answer = await first.transport.call(two, 'propose', utf8('next'), patienceMs);
    expect(fromUtf8(answer)).to.equal('next');
  });

  it('call() is UNKNOWN_OUTCOME when the peer dies over it', async () => {
    const [first, second] = await nodes().pair();
    second.received.answer = () => new Promise(() => undefined);
    const call = codeOfRejection(first.transport.call(two, 'propose', empty, patienceMs));
    await until('the call there', () => second.received.calls.length === 1);
    await second.transport.stop();
    expect(await call).to.equal('UNKNOWN_OUTCOME');
  });

  it('call() is OVERLOADED, not queued, when too much is in flight', async () => {
    const [first, second] = await nodes().pair();
    second.received.answer = () => new Promise(() => undefined);
    const megabytes = new Uint8Array(12 * 1024 * 1024);
    const calls = Array.from({ length: 6 }, () =>
      codeOfRejection(first.transport.call(two, 'propose', megabytes, patienceMs)),
    );
    expect(await calls[5]).to.equal('OVERLOADED');
    await first.transport.stop();
    await Promise.all(calls);
  });

  it('call() is TOO_LARGE or PARAM_INVALID for what no peer would take', async () => {
    const [first] = await nodes().pair();
    const { transport } = first;
    const huge = new Uint8Array(16 * 1024 * 1024);
    expect(await codeOfRejection(transport.call(two, 'propose', huge, 1000))).to.equal('TOO_LARGE');
    const name = 'm'.repeat(33);
    expect(await codeOfRejection(transport.call(two, name, empty, 1000))).to.equal('PARAM_INVALID');
  });

  it('callAddress() brings back an answer without knowing the identity', async () => {
    const [first, second] = await nodes().pair();
    const { address } = second;
    const answer = await first.transport.callAddress(address, 'members', utf8('x'), patienceMs);
    expect(fromUtf8(answer)).to.equal('x');
    expect(second.received.calls).to.deep.equal([{ from: one, method: 'members' }]);
  });

  it('callAddress() is UNREACHABLE when nobody listens there', async () => {
    const first = await nodes().start(one, await freeAddress());
    const call = first.transport.callAddress(await freeAddress(), 'members', empty, patienceMs);
    expect(await codeOfRejection(call)).to.equal('UNREACHABLE');
    expect(await codeOfRejection(first.transport.callAddress('?', 'm', empty, 500))).to.equal(
      'UNREACHABLE',
    );
  });

  it('callAddress() is UNKNOWN_OUTCOME when no answer comes in time', async () => {
    const [first, second] = await nodes().pair();
    second.received.answer = () => new Promise(() => undefined);
    const call = first.transport.callAddress(second.address, 'members', empty, 300);
    const code = codeOfRejection(call);
    await until('the call there', () => second.received.calls.length === 1);
    expect(await code).to.equal('UNKNOWN_OUTCOME');
  });
}
