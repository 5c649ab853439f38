import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { mainFile, useWorkshop } from '../support/e2e/index.ts';

interface Refusal {
  readonly code: number | null;
  readonly lines: readonly string[];
}

/** Runs `quorate serve`, which must end by itself. */
function refused(flags: readonly string[]): Refusal {
  const ran = spawnSync(process.execPath, [mainFile(), 'serve', '--logFormat=json', ...flags], {
    encoding: 'utf8',
    timeout: 30_000,
  });
  return { code: ran.status, lines: ran.stderr.trimEnd().split('\n') };
}

describe('A start that cannot work', function () {
  this.timeout(60_000);
  const workshop = useWorkshop();

  const cases: readonly [string, readonly string[], RegExp][] = [
    ['an unknown flag', ['--nope=1'], /--nope: found an unknown flag/],
    ['a value out of range', ['--verifyInterval=0'], /--verifyInterval: found "0", accepted is/],
    [
      'a verification timeout above ten intervals',
      ['--verifyInterval=1', '--verifyTimeout=11'],
      /--verifyTimeout: found 11s, accepted is at most ten times/,
    ],
    [
      'a missing script',
      ['--verificationScript=/nowhere/verify.sh'],
      /\/nowhere\/verify.sh as --verificationScript: there is no such file/,
    ],
  ];
  for (const [what, flags, message] of cases) {
    it(`because of ${what} ends with code 2 and one line`, () => {
      const { code, lines } = refused(flags);
      expect(lines.join('\n')).to.match(message);
      expect(lines).to.have.length(1);
      expect(code).to.equal(2);
    });
  }

  for (const [what, mode, message] of [
    ['not executable', 0o644, /as --notificationScript: it is not executable/],
    ['writable by others', 0o757, /as --notificationScript: it is writable by others/],
  ] as const) {
    it(`because a script is ${what} ends with code 2 and one line`, () => {
      mkdirSync(workshop.path('scripts'), { recursive: true });
      const script = workshop.path('scripts', `notify-${mode}.sh`);
      writeFileSync(script, '#!/bin/sh\n');
      chmodSync(script, mode);
      const { code, lines } = refused([`--notificationScript=${script}`]);
      expect(lines.join('\n')).to.match(message);
      expect(lines).to.have.length(1);
      expect(code).to.equal(2);
    });
  }

  it('because the data directory is a file ends with one clear line', () => {
    const path = workshop.path('occupied');
    writeFileSync(path, 'not a directory');
    const { code, lines } = refused([`--dataDir=${path}/node1`]);
    expect(lines.at(-1)).to.contain(`${path}/node1 as --dataDir`);
    expect(code).to.equal(1);
  });

  it('because another daemon uses the data directory says so, and that one goes on', async function () {
    this.timeout(120_000);
    const cluster = await workshop.started(1, { flags: ['--bootstrap'] });
    const node = cluster.node(1);
    await node.set('before', 'kept');
    const second = refused([`--dataDir=${node.dataDirectory}`, `--node=${node.id}`]);
    expect(second.lines.at(-1)).to.match(/another daemon|in use|locked/i);
    expect(second.lines.at(-1)).to.contain(node.dataDirectory);
    expect(second.code).to.equal(1);
    expect(await node.get('before')).to.equal('kept');
  });
});
