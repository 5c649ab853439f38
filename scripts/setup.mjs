// Installs and builds what is missing. Node built-ins only: it runs before anything is installed.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const lockDirectory = path.join(root, '.setup-lock');
const installStamp = path.join(root, 'node_modules', '.quorate-install');
const buildStamp = path.join(root, 'dist', '.stamp');
const lockWaitMs = 10 * 60_000;

function refuseOldNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  console.error(`Cannot start with Node.js ${process.versions.node}: accepted is 20.19 or later`);
  process.exit(2);
}

function hashOf(...files) {
  const hash = createHash('sha256');
  for (const file of files) hash.update(fs.readFileSync(path.join(root, file)));
  return hash.digest('hex');
}

function read(file) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function newestChangeMs(directory) {
  let newest = 0;
  for (const entry of fs.readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    newest = Math.max(newest, fs.statSync(path.join(entry.parentPath, entry.name)).mtimeMs);
  }
  return newest;
}

const wantedInstall = () => `${process.version} ${hashOf('package.json', 'package-lock.json')}`;

function needsBuild() {
  const built = Number(read(buildStamp));
  return !(built >= newestChangeMs(path.join(root, 'src')));
}

/** When a process began; '' where the system does not tell. */
function startOf(pid) {
  const stat = read(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

/** Not by its number alone: another process may have got it since. */
const isOwner = (pid, start) => isAlive(pid) && startOf(pid) === start;

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Creates the lock, or removes one whose owner is gone. */
function tryLock() {
  try {
    fs.mkdirSync(lockDirectory);
    fs.writeFileSync(path.join(lockDirectory, 'pid'), `${process.pid} ${startOf(process.pid)}`);
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
  const [pid, start] = read(path.join(lockDirectory, 'pid')).split(' ');
  const ageMs = Date.now() - (fs.statSync(lockDirectory, { throwIfNoEntry: false })?.mtimeMs ?? 0);
  if (pid === '' ? ageMs > 10_000 : !isOwner(Number(pid), start)) {
    fs.rmSync(lockDirectory, { recursive: true, force: true });
  }
  return false;
}

function withLock(work) {
  const deadline = Date.now() + lockWaitMs;
  while (!tryLock()) {
    if (Date.now() > deadline) {
      console.error(`Cannot set up: ${lockDirectory} is held; remove it when no set-up runs`);
      process.exit(1);
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
  }
  try {
    work();
  } finally {
    fs.rmSync(lockDirectory, { recursive: true, force: true });
  }
}

function run(what, command, commandArguments) {
  console.error(`${what} ...`);
  try {
    execFileSync(command, commandArguments, { cwd: root, stdio: ['ignore', 2, 2] });
  } catch (error) {
    console.error(`Cannot set up: ${what} ended with ${error.status ?? error.message}`);
    process.exit(1);
  }
}

function install() {
  const wanted = wantedInstall();
  if (read(installStamp) === wanted) return;
  // Development packages too, whatever NODE_ENV says: the compiler is one of them.
  const flags = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  run('Installing packages', 'npm', flags);
  fs.writeFileSync(installStamp, wanted);
}

function build() {
  if (!needsBuild()) return;
  const startedMs = Date.now();
  run('Building', process.execPath, [
    path.join(root, 'node_modules', 'typescript', 'bin', 'tsc'),
    '-p',
    path.join(root, 'tsconfig.build.json'),
  ]);
  fs.writeFileSync(buildStamp, String(startedMs));
}

/** Makes the checkout ready to run; quick when it is. */
export function setUp() {
  refuseOldNode();
  if (read(installStamp) === wantedInstall() && !needsBuild()) return;
  withLock(() => {
    install();
    build();
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) setUp();
