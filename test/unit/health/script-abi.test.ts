import { expect } from 'chai';
import {
  notifyInvocation,
  sampleStatusOf,
  valueArgument,
  verifyInvocation,
} from '../../../src/health/index.ts';
import type { NotifyCall } from '../../../src/health/index.ts';
import { asNodeId, asRevision, fromUtf8, utf8 } from '../../../src/shared/index.ts';

describe('valueArgument()', () => {
  it('passes a value as it is up to 32 KiB, counted in bytes', () => {
    const most = 'é'.repeat(16 * 1_024);
    expect(valueArgument(utf8(most))).to.deep.equal({ argument: most, stdin: null });
    const more = utf8(`${most}x`);
    expect(valueArgument(more)).to.deep.equal({ argument: '@stdin', stdin: more });
  });

  it('sends on standard input what no argument carries unchanged', () => {
    const values = [
      Uint8Array.of(65, 0, 66),
      Uint8Array.of(0xff, 0xfe),
      Uint8Array.of(0xed, 0xa0, 0x80),
    ];
    for (const value of [...values, utf8('@stdin')]) {
      expect(valueArgument(value)).to.deep.equal({ argument: '@stdin', stdin: value });
    }
  });

  it('keeps a byte order mark and an empty value', () => {
    expect(valueArgument(utf8('\ufeffx')).argument).to.equal('\ufeffx');
    expect(valueArgument(utf8(''))).to.deep.equal({ argument: '', stdin: null });
  });
});

describe('verifyInvocation()', () => {
  const call = {
    key: 'db/main',
    value: utf8('10.0.0.1:80'),
    valueRevision: asRevision(42),
    node: asNodeId('n1'),
    zone: 'a',
  };

  it('is KEY VALUE with the documented environment', () => {
    expect(verifyInvocation(call)).to.deep.equal({
      args: ['db/main', '10.0.0.1:80'],
      env: { QUORATE_NODE: 'n1', QUORATE_ZONE: 'a', QUORATE_VALUE_REVISION: '42' },
      stdin: null,
    });
  });

  it('gives a long value on standard input', () => {
    const value = new Uint8Array(200_000).fill(65);
    const { args, stdin } = verifyInvocation({ ...call, value });
    expect(args).to.deep.equal(['db/main', '@stdin']);
    expect(stdin).to.equal(value);
  });
});

describe('notifyInvocation()', () => {
  const call: NotifyCall = {
    role: 'leader',
    event: {
      id: asRevision(42),
      token: '0000000001.0000000000000042',
      key: 'k',
      value: 'v',
      valueRevision: asRevision(40),
      from: 'UP',
      to: 'DOWN',
    },
    node: asNodeId('n1'),
    attempt: 2,
    notifyArgs: 'role',
    eventJson: '{"id":42}',
  };

  it('is ROLE KEY VALUE STATUS with the documented environment and the event on stdin', () => {
    const { args, env, stdin } = notifyInvocation(call);
    expect(args).to.deep.equal(['leader', 'k', 'v', 'DOWN']);
    expect(env).to.deep.equal({
      QUORATE_NODE: 'n1',
      QUORATE_EVENT_ID: '42',
      QUORATE_TOKEN: '0000000001.0000000000000042',
      QUORATE_PREV_STATUS: 'UP',
      QUORATE_ATTEMPT: '2',
      QUORATE_VALUE_REVISION: '40',
    });
    expect(stdin && fromUtf8(stdin)).to.equal('{"id":42}');
  });

  it('leaves ROLE out when plain, and keeps STATUS in its place whatever the value', () => {
    const { args } = notifyInvocation({ ...call, notifyArgs: 'plain' });
    expect(args).to.deep.equal(['k', 'v', 'DOWN']);
    for (const value of ['', 'a b', 'x'.repeat(40_000)]) {
      const long = notifyInvocation({ ...call, event: { ...call.event, value } });
      expect(long.args[3]).to.equal('DOWN');
      expect(long.args).to.have.lengthOf(4);
    }
  });
});

describe('sampleStatusOf()', () => {
  const status = (stdout: string, difference = {}): string =>
    sampleStatusOf({ stdout, timedOut: false, startError: null, ...difference });

  it('is the first line, trimmed, when that is UP or DOWN', () => {
    expect(status('UP')).to.equal('UP');
    expect(status(' DOWN \r\nmore UP\n')).to.equal('DOWN');
  });

  it('is EMPTY for anything else', () => {
    for (const stdout of ['', '\nUP\n', 'up', 'UP DOWN', 'EMPTY', 'UPPER']) {
      expect(status(stdout), JSON.stringify(stdout)).to.equal('EMPTY');
    }
    expect(status('UP\n', { timedOut: true })).to.equal('EMPTY');
    expect(status('', { startError: 'ENOENT' })).to.equal('EMPTY');
  });
});
