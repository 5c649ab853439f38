import { chmodSync } from 'node:fs';
import { expect } from 'chai';
import { checkScript } from '../../../src/runner/index.ts';
import { codeOf } from '../../../src/shared/index.ts';
import { Workshop } from './support.ts';

describe('checkScript()', () => {
  const workshop = new Workshop();
  const flag = '--verificationScript';
  after(() => {
    workshop.clear();
  });

  function refusal(file: string, searchPath = ''): string {
    try {
      checkScript(file, { flag, searchPath });
    } catch (error) {
      expect(codeOf(error)).to.equal('CONFIG_INVALID');
      return (error as Error).message;
    }
    return 'accepted';
  }

  it('returns the absolute path of an executable file', () => {
    const file = workshop.script('good.sh', 'echo UP');
    expect(checkScript(file, { flag, searchPath: '' })).to.equal(file);
  });

  it('finds a program without a slash in PATH, like a process start does', () => {
    const file = workshop.script('tool', 'echo UP');
    const searchPath = `/nonexistent:${workshop.folder}`;
    expect(checkScript('tool', { flag, searchPath })).to.equal(file);
    expect(refusal('tool', '/nonexistent')).to.include('there is none in PATH');
  });

  it('refuses a missing file and a folder, naming flag, finding and what is accepted', () => {
    const missing = workshop.path('missing.sh');
    const message = refusal(missing);
    expect(message).to.equal(
      `Cannot use ${missing} as ${flag}: there is no such file, accepted is an executable one`,
    );
    expect(refusal(`${workshop.folder}/`)).to.include('it is no file');
  });

  it('refuses a file that is not executable', () => {
    const file = workshop.script('plain.sh', 'echo UP');
    chmodSync(file, 0o644);
    expect(refusal(file)).to.include('it is not executable (mode 0644)');
  });

  it('refuses a file that others may write, but not one that its group may', () => {
    const file = workshop.script('open.sh', 'echo UP');
    chmodSync(file, 0o757);
    expect(refusal(file)).to.include('it is writable by others (mode 0757)');
    chmodSync(file, 0o775);
    expect(refusal(file)).to.equal('accepted');
  });
});
