import { expect } from 'chai';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { rerun } from '../support/transcript/index.ts';

const directory = path.dirname(fileURLToPath(import.meta.url));
const names = fs.readdirSync(directory).filter((name) => name.endsWith('.txt'));
const isUpdate = process.env['UPDATE_TRANSCRIPTS'] === '1';

describe('Transcripts', () => {
  for (const name of names.sort()) {
    const file = path.join(directory, name);
    const recorded = fs.readFileSync(file, 'utf8');
    const title = (recorded.split('\n')[0] ?? '').replace(/^# */, '');

    it(`${name}: ${title}`, () => {
      const played = rerun(recorded);
      if (isUpdate) fs.writeFileSync(file, played);
      else expect(played).to.equal(recorded);
    });
  }

  it('there are at least 30, each with a title and with what was said', () => {
    expect(names.length).to.be.at.least(30);
    for (const name of names) {
      const text = fs.readFileSync(path.join(directory, name), 'utf8');
      expect(text, name).to.match(/^# \S/);
      expect(text, name).to.match(/^ {2}\S/m);
    }
  });
});
