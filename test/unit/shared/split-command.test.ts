import { expect } from 'chai';
import fc from 'fast-check';
import { codeOf, splitCommand } from '../../../src/shared/index.ts';

const words = (text: string): readonly string[] => {
  const { file, args } = splitCommand(text);
  return [file, ...args];
};

function refusal(text: string): string {
  try {
    splitCommand(text);
  } catch (error) {
    expect(codeOf(error)).to.equal('CONFIG_INVALID');
    return (error as Error).message;
  }
  return 'accepted';
}

describe('splitCommand()', () => {
  it('splits at blanks', () => {
    expect(words('  ./verify.sh  -v\t--port 80 ')).to.deep.equal([
      './verify.sh',
      '-v',
      '--port',
      '80',
    ]);
  });

  it('takes quotes and backslashes away as a shell does', () => {
    expect(words(`a 'b c' "d e" f\\ g h'i j'k '' "" \\"`)).to.deep.equal([
      'a',
      'b c',
      'd e',
      'f g',
      'hi jk',
      '',
      '',
      '"',
    ]);
    expect(words(String.raw`a "\"\\\$\x" '\n'`)).to.deep.equal(['a', '"\\$\\x', '\\n']);
  });

  it('expands nothing and joins no commands', () => {
    const text = 'a $HOME ~ *.sh `id` ; b | c && d > e # f';
    expect(words(text)).to.deep.equal(text.split(' '));
  });

  it('refuses what is left open, and nothing at all', () => {
    expect(refusal(`a 'b`)).to.equal(`Cannot read "a 'b" as a command: a ' is not closed`);
    expect(refusal('a "b')).to.include('a " is not closed');
    expect(refusal('a \\')).to.include('it ends in a backslash');
    expect(refusal('  ')).to.include('no program');
    expect(refusal(`'' a`)).to.include('no program');
  });

  it('gives back any words that were put in single quotes', () => {
    const word = fc.string({ unit: 'grapheme', minLength: 1 });
    const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
    fc.assert(
      fc.property(fc.array(word, { minLength: 1 }), (list) => {
        expect(words(list.map(quoted).join(' '))).to.deep.equal(list);
      }),
      { seed: 1, numRuns: 200 },
    );
  });
});
