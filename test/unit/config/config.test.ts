import { expect } from 'chai';
import type { Config, Layer } from '../../../src/config/index.ts';
import {
  environmentLayer,
  fileLayer,
  flagNamed,
  flags,
  parseConfig,
} from '../../../src/config/index.ts';
import { QuorateError } from '../../../src/shared/index.ts';

const none: Layer = {};

function parse(flagLayer: Layer, environment: Layer = none, file: Layer = none): Config {
  return parseConfig({ flags: flagLayer, environment, file, isTerminal: false });
}

function refusalOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof QuorateError && error.code === 'CONFIG_INVALID') return error.message;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('parseConfig', () => {
  it('gives every flag of the table its default', () => {
    const config = parse(none);
    expect(config).to.include({
      node: 'node1',
      dataDir: './node1',
      http: '127.0.0.1:6000',
      raft: '127.0.0.1:7000',
      gossip: '127.0.0.1:8000',
      advertiseHttp: '127.0.0.1:6000',
      bootstrap: false,
      observer: false,
      gossipQuorum: 'majority',
      minZones: 'auto',
      notifyOn: 'leader',
      notifyArgs: 'role',
      verifyInterval: 10_000,
      verifyTimeout: 60_000,
      verifySamples: 3,
      verifyWindow: 5,
      verifyConcurrency: 16,
      eventInterval: 60_000,
      eventHold: 30_000,
      notifyTimeout: 60_000,
      notifyRetries: 10,
      diskStallTimeout: 2_000,
      leaseReads: false,
      profile: 'lan',
      logFormat: 'json',
    });
    expect(config.explicit).to.have.length(0);
  });

  it('lets a flag win over the environment, that over the file, that over the default', () => {
    const layers = [
      { zone: 'flag' },
      { zone: 'environment', node: 'e' },
      { zone: 'file', node: 'f', profile: 'wan' },
    ];
    const config = parse(layers[0] ?? none, layers[1], layers[2]);
    expect(config).to.include({ zone: 'flag', node: 'e', profile: 'wan', dataDir: './e' });
    expect([...config.explicit].sort()).to.deep.equal(['node', 'profile', 'zone']);
  });

  it('reads bare seconds and units as milliseconds', () => {
    const spellings = {
      '2': 2000,
      '0.5': 500,
      '500ms': 500,
      '10s': 10_000,
      '5m': 300_000,
      '1h': 3_600_000,
    };
    for (const [text, ms] of Object.entries(spellings)) {
      expect(parse({ eventInterval: text }).eventInterval, text).to.equal(ms);
    }
  });

  it('advertises what it listens on unless told otherwise', () => {
    expect(parse({ raft: '10.0.0.1:7000' }).advertiseRaft).to.equal('10.0.0.1:7000');
    expect(parse({ raft: '0.0.0.0:7000', advertiseRaft: 'db1:7000' }).advertiseRaft).to.equal(
      'db1:7000',
    );
  });

  it('splits address lists', () => {
    const { join } = parse({ join: '127.0.0.1:6000,[::1]:6001,host-2.example:6002' });
    expect(join).to.deep.equal(['127.0.0.1:6000', '[::1]:6001', 'host-2.example:6002']);
  });

  it('keeps the default verifyTimeout within ten short intervals', () => {
    expect(parse({ verifyInterval: '2' }).verifyTimeout).to.equal(20_000);
  });

  const refusals: readonly [Layer, RegExp][] = [
    [{ node: 'a b' }, /--node: found "a b", accepted is a name/],
    [{ node: '' }, /--node: found ""/],
    [{ http: 'localhost' }, /--http: found "localhost", accepted is HOST:PORT/],
    [{ raft: '127.0.0.1:70000' }, /--raft: found "127.0.0.1:70000"/],
    [{ join: '127.0.0.1' }, /--join: found "127.0.0.1", accepted is HOST:PORT addresses/],
    [{ gossipQuorum: '0' }, /--gossipQuorum: found "0", accepted is majority or a whole number/],
    [{ gossipQuorum: 'most' }, /--gossipQuorum: found "most"/],
    [{ minZones: '-1' }, /--minZones: found "-1", accepted is auto or/],
    [{ verifyInterval: '10x' }, /--verifyInterval: found "10x", accepted is a duration from 0.1s/],
    [{ verifyInterval: '0' }, /--verifyInterval: found "0"/],
    [{ notifyRetries: '1.5' }, /--notifyRetries: found "1.5", accepted is a whole number/],
    [{ notifyOn: 'nobody' }, /--notifyOn: found "nobody", accepted is leader or all/],
    [{ notifyArgs: 'x' }, /--notifyArgs: found "x", accepted is role or plain/],
    [{ profile: 'moon' }, /--profile: found "moon", accepted is lan or wan or local/],
    [{ logLevel: 'loud' }, /--logLevel: found "loud"/],
    [{ bootstrap: 'perhaps' }, /--bootstrap: found "perhaps", accepted is true or false/],
    [{ zone: 'a/b' }, /--zone: found "a\/b"/],
    [
      { verifyInterval: '2', verifyTimeout: '21' },
      /--verifyTimeout: found 21s, accepted is at most ten times/,
    ],
    [{ verifySamples: '6' }, /--verifySamples: found 6, accepted is at most --verifyWindow \(5\)/],
    [{ raft: '127.0.0.1:6000' }, /--http, --raft and --gossip: found/],
    [{ observer: 'true', bootstrap: 'true' }, /--observer: found together with --bootstrap/],
  ];
  for (const [layer, message] of refusals) {
    it(`refuses ${JSON.stringify(layer)} in one line that says what is accepted`, () => {
      const refusal = refusalOf(() => parse(layer));
      expect(refusal).to.match(message);
      expect(refusal).not.to.contain('\n');
    });
  }

  it('names the place of a bad value that is no flag', () => {
    expect(refusalOf(() => parse(none, { profile: 'x' }))).to.contain('QUORATE_PROFILE');
    expect(refusalOf(() => parse(none, none, { profile: 'x' }))).to.contain('configuration file');
  });
});

describe('environmentLayer', () => {
  it('reads QUORATE_ and upper snake case, and nothing else', () => {
    const environment = { QUORATE_VERIFY_INTERVAL: '5', QUORATE_TOKEN: 'x', NODE: 'y' };
    expect(environmentLayer(environment)).to.deep.equal({ verifyInterval: '5' });
  });
});

describe('fileLayer', () => {
  it('takes both spellings, numbers, switches and lists', () => {
    const document = { 'verify-interval': 5, bootstrap: true, join: ['a:1', 'b:2'] };
    const layer = { verifyInterval: '5', bootstrap: 'true', join: 'a:1,b:2' };
    expect(fileLayer(document, 'q.yaml')).to.deep.equal(layer);
    expect(fileLayer(null, 'q.yaml')).to.deep.equal({});
  });

  it('refuses unknown keys, maps as values and documents that are no map', () => {
    expect(refusalOf(() => fileLayer({ verifyIntervall: 5 }, 'q.yaml'))).to.contain(
      '"verifyIntervall"',
    );
    expect(refusalOf(() => fileLayer({ node: { a: 1 } }, 'q.yaml'))).to.contain('for node');
    expect(refusalOf(() => fileLayer(['node'], 'q.yaml'))).to.contain('a map of flag names');
  });
});

describe('flagNamed', () => {
  it('knows every flag in both spellings', () => {
    expect(flagNamed('notify-retries')).to.equal('notifyRetries');
    for (const { name } of flags) expect(flagNamed(name)).to.equal(name);
    expect(flagNamed('nope')).to.equal(undefined);
  });
});
