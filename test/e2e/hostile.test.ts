import { expect } from 'chai';
import { createSocket } from 'node:dgram';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { seededRandom } from '../../src/shared/index.ts';
import type { Cluster } from '../support/e2e/index.ts';
import {
  baselineIs,
  eventIs,
  NotifyRuns,
  replaceFile,
  useWorkshop,
  waitFor,
  watchFlags,
} from '../support/e2e/index.ts';

const hostile = '-rf $(touch pwned);\'"\n* `touch pwned` | ünïcode \\ $HOME';

/** Random bytes on a TCP port; resolves when the other side or we have had enough. */
function throwAt(port: number, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.end(bytes));
    socket.setTimeout(2_000, () => socket.destroy());
    socket.on('error', () => undefined);
    socket.on('data', () => undefined);
    socket.once('close', () => resolve());
  });
}

function sendTo(port: number, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.send(bytes, port, '127.0.0.1', () => {
      socket.close();
      resolve();
    });
  });
}

describe('Bad input', function () {
  this.timeout(150_000);
  const workshop = useWorkshop();

  it('on the raft, gossip and http ports neither stops a node nor changes its state', async () => {
    const cluster = await workshop.started(3);
    const node = cluster.node(1);
    await node.set('k', 'v');
    const random = seededRandom(7);
    const status = (await node.ask('/status')).text;
    for (let i = 0; i < 60; i++) {
      const length = 1 + random.intBelow(1_500);
      const bytes = Uint8Array.from({ length }, () => random.intBelow(256));
      const { http, raft, gossip } = node.ports;
      await Promise.all([http, raft, gossip].map((port) => throwAt(port, bytes)));
      await sendTo(gossip, bytes);
    }
    expect(node.isRunning).to.equal(true);
    expect((await node.ask('/status')).text).to.equal(status);
    expect(await node.isReady()).to.equal(true);
    await node.set('k', 'w');
    expect(await cluster.node(2).get('k')).to.equal('w');
  });

  it('in a value reaches both scripts byte for byte as one argument and runs nothing', async () => {
    const runs = new NotifyRuns(workshop.path('runs'));
    const seen = workshop.path('seen');
    mkdirSync(seen, { recursive: true });
    const state = workshop.path('state');
    writeFileSync(state, 'UP\n');
    const verify = workshop.path('verify.sh');
    const note = 'f=$(mktemp "$SEEN/XXXXXXXX"); printf "%s\\0" "$@" > "$f"; cat "$STATE"\n';
    writeFileSync(verify, `#!/bin/bash\n${note}`, { mode: 0o755 });
    const flags = [...watchFlags, `--verificationScript='${verify}'`];
    const env = { ...runs.env, SEEN: seen, STATE: state };
    const cluster = await workshop.started(3, { flags, env });
    await cluster.node(2).set('-e', hostile);
    await baselineIs(cluster.node(1), ['-e'], 'UP');
    replaceFile(state, 'DOWN\n');
    const leader = await cluster.leader();
    await eventIs(leader, '-e', { to: 'DOWN', state: 'done' });
    const [run] = await waitFor(
      'the notification ran',
      () => runs.of('-e').length > 0 && runs.of('-e'),
    );
    expect(run?.args).to.deep.equal(['leader', '-e', hostile, 'DOWN']);
    const verified = readdirSync(seen).map((name) => readFileSync(`${seen}/${name}`, 'utf8'));
    for (const text of new Set(verified)) expect(text).to.equal(`-e\0${hostile}\0`);
    for (const node of cluster.nodes)
      expect(existsSync(`/proc/${node.pid}/cwd/pwned`)).to.equal(false);
  });

  it('a script that hangs with a grandchild on its pipe is gone with it, and its slot is free', async () => {
    const pids = workshop.path('pids');
    mkdirSync(pids, { recursive: true });
    const verify = workshop.path('hang.sh');
    const hang =
      'if [ "$1" = hang ]; then sleep 987 & echo $! > "$PIDS/$!"; echo UP; wait; fi; echo UP\n';
    writeFileSync(verify, `#!/bin/bash\n${hang}`, { mode: 0o755 });
    const flags = [
      `--verificationScript='${verify}'`,
      '--verifyInterval=300ms',
      '--verifyTimeout=1',
    ];
    const cluster: Cluster = await workshop.started(1, {
      flags: [...flags, '--verifyConcurrency=1', '--bootstrap'],
      env: { PIDS: pids },
    });
    const node = cluster.node(1);
    await node.set('hang', 'x');
    const [first = ''] = await waitFor('the script hangs', () => {
      const names = readdirSync(pids);
      return names.length > 0 && names;
    });
    await waitFor('its grandchild is gone', () => !existsSync(`/proc/${first}`));
    await node.del('hang');
    await node.set('next', 'x');
    await waitFor('the only slot runs another script', async () => {
      const { text } = await node.ask('/detectordata/next');
      return text.includes('"UP"');
    });
  });
});
