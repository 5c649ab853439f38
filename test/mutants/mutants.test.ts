import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { expect } from 'chai';
import ts from 'typescript';
import { chase } from './chase.ts';
import { applyPatch, parsePatch } from './patch.ts';
import type { Patch } from './patch.ts';
import { changesOf, readPatches } from './workshop.ts';

const root = path.resolve(import.meta.dirname, '../..');
const patches = readPatches();
const mutantsMin = 25;
/** Caught soon: the others take longer than a test may. */
const swift = ['10-', '17-', '31-'];
const swiftSeeds = { from: 1, count: 8 };
const compileMsMax = 120_000;
const chaseMsMax = 240_000;

const change = `Bug: it is wrong
Goes wrong: everything

--- a/one.ts
+++ b/one.ts
@@ -7,2 +7,2 @@
 first
-second
+other
`;

describe('mutants', () => {
  it('applyPatch finds the lines wherever they are, and only once', () => {
    const patch = parsePatch('one', change);
    const apply = (text: string) => applyPatch(patch, () => text).get('one.ts');
    expect(patch).to.include({ bug: 'it is wrong', goesWrong: 'everything' });
    expect(apply('zero\nfirst\nsecond\n')).to.equal('zero\nfirst\nother\n');
    expect(() => apply('first\nthird\n')).to.throw('nowhere');
    expect(() => apply('first\nsecond\nfirst\nsecond\n')).to.throw('2 times');
  });

  it('parsePatch refuses what has no header or changes nothing', () => {
    expect(() => parsePatch('one', change.replace('Bug: ', ''))).to.throw('no line Bug');
    expect(() => parsePatch('one', 'Bug: a\nGoes wrong: b\n')).to.throw('changes nothing');
  });

  it(`there are at least ${mutantsMin}, each with a number of its own`, () => {
    const numbers = new Set(patches.map(({ name }) => name.slice(0, 3)));
    expect(numbers.size).to.equal(patches.length).and.be.at.least(mutantsMin);
  });

  it('each patch applies to src, and what it makes still compiles', function () {
    this.timeout(compileMsMax);
    const compiler = new Compiler();
    const complaints = patches.flatMap((patch) => compiler.complaintsAbout(patch));
    expect(complaints).to.eql([]);
  });

  it('a hunt that is called off ends its process and takes its copy away', async () => {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'quorate-hunt-'));
    const usual = process.env['TMPDIR'];
    process.env['TMPDIR'] = directory;
    try {
      const stop = new AbortController();
      const hunt = chase(null, { from: 1, count: 1000 }, stop.signal);
      expect(fs.readdirSync(directory)).to.have.length(1);
      stop.abort();
      const error = await hunt.catch((one: unknown) => one as Error);
      expect(error).to.be.an('error').with.property('message').that.includes('SIGKILL');
      expect(fs.readdirSync(directory)).to.eql([]);
    } finally {
      if (usual === undefined) delete process.env['TMPDIR'];
      else process.env['TMPDIR'] = usual;
      fs.rmSync(directory, { recursive: true, force: true });
    }
  });

  for (const start of swift) {
    it(`the simulator catches mutant ${start} within ${swiftSeeds.count} seeds`, async function () {
      this.timeout(chaseMsMax);
      const patch = patches.find(({ name }) => name.startsWith(start));
      expect(patch).not.to.equal(undefined);
      const { says } = await chase(patch ?? null, swiftSeeds);
      expect(says).to.be.a('string');
    });
  }
});

/** A mutant that does not compile would be caught for nothing. */
class Compiler {
  /** By absolute path: text and how often it changed. */
  readonly #changed = new Map<string, string>();
  #version = 0;
  readonly #service: ts.LanguageService;

  constructor() {
    const read = ts.readConfigFile(`${root}/tsconfig.json`, (file) => ts.sys.readFile(file));
    const config = { ...(read.config as object), include: ['src'] };
    const parsed = ts.parseJsonConfigFileContent(config, ts.sys, root);
    const options = { ...parsed.options, noUnusedLocals: false, noUnusedParameters: false };
    this.#service = ts.createLanguageService({
      getCompilationSettings: () => options,
      getScriptFileNames: () => parsed.fileNames,
      getScriptVersion: (file) => (this.#changed.has(file) ? `${this.#version}` : '0'),
      getScriptSnapshot: (file) => {
        const text = this.#changed.get(file) ?? ts.sys.readFile(file);
        return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
      },
      getCurrentDirectory: () => root,
      getDefaultLibFileName: ts.getDefaultLibFilePath,
      fileExists: (file) => ts.sys.fileExists(file),
      readFile: (file) => ts.sys.readFile(file),
    });
  }

  complaintsAbout(patch: Patch): readonly string[] {
    this.#changed.clear();
    this.#version++;
    for (const [file, text] of changesOf(patch)) this.#changed.set(path.join(root, file), text);
    return [...this.#changed.keys()].flatMap((file) =>
      [
        ...this.#service.getSyntacticDiagnostics(file),
        ...this.#service.getSemanticDiagnostics(file),
      ].map(
        ({ messageText }) => `${patch.name}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`,
      ),
    );
  }
}
