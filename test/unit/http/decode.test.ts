import { expect } from 'chai';
import fc from 'fast-check';
import { decodeFormText, decodePercent } from '../../../src/http/decode.ts';
import { headerText } from '../../../src/http/reply.ts';

/** One byte per character, as Node hands text over. */
const bytesOf = (text: string): string => Buffer.from(text).toString('latin1');

const text = fc.string({ unit: 'binary' });

describe('decodePercent', () => {
  it('gives back any text that was encoded, in part or whole', () => {
    fc.assert(
      fc.property(text, (original) => {
        expect(decodePercent(encodeURIComponent(original))).to.equal(original);
        const rawBytes = bytesOf(original.replaceAll('%', '%25'));
        expect(decodePercent(rawBytes)).to.equal(original);
        expect(decodePercent(`${rawBytes}%D0%BA`)).to.equal(`${original}к`);
      }),
    );
  });

  it('agrees with a strict UTF-8 decoder on any bytes', () => {
    const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        let expected: string | undefined;
        try {
          expected = strict.decode(bytes);
        } catch {
          expected = undefined;
        }
        const hex = [...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
        expect(decodePercent(hex)).to.equal(expected);
        const raw = Buffer.from(bytes).toString('latin1').replaceAll('%', '%25');
        expect(decodePercent(raw)).to.equal(expected);
      }),
    );
  });

  it('keeps a byte order mark and the plus sign', () => {
    expect(decodePercent('%EF%BB%BFa+b')).to.equal('\ufeffa+b');
    expect(decodePercent(bytesOf('\ufeffa'))).to.equal('\ufeffa');
  });

  for (const malformed of ['%', '%a', '%g0', '%0g', 'é%', 'é%zz', '%C3', '% 1', 'é% 1']) {
    it(`refuses ${malformed}`, () => {
      expect(decodePercent(bytesOf(malformed))).to.equal(undefined);
    });
  }
});

describe('decodeFormText', () => {
  it('gives back what URLSearchParams encoded', () => {
    fc.assert(
      fc.property(text, (original) => {
        const encoded = new URLSearchParams({ a: original }).toString().slice('a='.length);
        expect(decodeFormText(encoded)).to.equal(original);
      }),
    );
  });
});

describe('headerText', () => {
  it('gives one short line of printable ASCII for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 2000 }), (any) => {
        expect(headerText(any)).to.match(/^[\x20-\x7e]{0,256}$/);
      }),
    );
    expect(headerText('a\r\nb: c')).to.equal('a??b: c');
  });
});
