import { expect } from 'chai';
import fc from 'fast-check';
import protobuf from 'protobufjs/minimal.js';
import { ProtoReader, ProtoWriter } from '../../../src/wire/index.ts';

describe('ProtoWriter and ProtoReader', () => {
  it('ProtoWriter writes integers as protobuf does', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.maxSafeInteger(), (natural, integer) => {
        const signed = Math.trunc(integer / 2);
        const expected = protobuf.Writer.create().uint32(8).uint64(natural).uint32(16);
        expect([
          ...new ProtoWriter(4).presentUint(1, natural).presentSint(2, signed).take(),
        ]).to.deep.equal([...expected.sint64(signed).finish()]);
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it('ProtoReader gives back what ProtoWriter wrote, nested at any size', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 80 }),
        fc.nat({ max: 40_000 }),
        (items, sizeHint) => {
          const writer = new ProtoWriter(1);
          const mark = writer.begin(3, sizeHint);
          for (const item of items) writer.presentBytes(1, item);
          writer.end(mark);
          writer.uint(4, 9);
          const reader = new ProtoReader(writer.take());
          expect(reader.nextField()).to.equal(3);
          const outer = reader.enter();
          const found: number[][] = [];
          while (reader.nextField() === 1) found.push([...reader.bytes()]);
          reader.leave(outer);
          expect(found).to.deep.equal(items.map((item) => [...item]));
          expect([reader.nextField(), reader.uint(), reader.nextField()]).to.deep.equal([4, 9, 0]);
          expect(reader.failed).to.equal(false);
        },
      ),
      { seed: 2, numRuns: 200 },
    );
  });

  it('ProtoReader gives back any text, short or long, ASCII or not', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 70 }), fc.boolean(), (text, isPlain) => {
        const written = isPlain ? text.replace(/[^\x00-\x7f]/g, 'x') : text;
        const reader = new ProtoReader(new ProtoWriter(1).string(1, written).uint(2, 7).take());
        const found = reader.nextField() === 1 ? reader.string() : '';
        if (written !== '') expect(reader.nextField()).to.equal(2);
        expect([found, reader.uint(), reader.nextField()]).to.deep.equal([written, 7, 0]);
        expect(reader.failed).to.equal(false);
      }),
      { seed: 9, numRuns: 500 },
    );
  });

  it('ProtoReader.skip passes over what it does not know, and fails where that is cut', () => {
    const writer = new ProtoWriter(8).uint(9, 2 ** 40).bytes(8, new Uint8Array(50));
    const bytes = writer.uint(1, 5).take();
    const reader = new ProtoReader(bytes);
    let last = 0;
    for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
      if (field === 1) last = reader.uint();
      else reader.skip();
    }
    expect([last, reader.failed]).to.deep.equal([5, false]);
    const cut = new ProtoReader(bytes.subarray(0, 30));
    while (cut.nextField() !== 0) cut.skip();
    expect(cut.failed).to.equal(true);
  });

  it('ProtoReader.message ends where its length says, whatever is read in it', () => {
    const writer = new ProtoWriter(8);
    const mark = writer.begin(1);
    writer.uint(1, 3);
    writer.end(mark);
    const bytes = writer.uint(2, 4).take();
    const reader = new ProtoReader(bytes);
    reader.nextField();
    const fields = reader.message((inner) => {
      const seen: number[] = [];
      for (let field = inner.nextField(); field !== 0; field = inner.nextField()) {
        seen.push(field, inner.uint());
      }
      return seen;
    });
    expect(fields).to.deep.equal([1, 3]);
    expect([reader.nextField(), reader.uint(), reader.nextField()]).to.deep.equal([2, 4, 0]);
  });

  it('ProtoWriter.take never lets a later message touch an earlier one', () => {
    const writer = new ProtoWriter(8);
    const messages = Array.from({ length: 200 }, (_, i) =>
      writer
        .uint(1, i + 1)
        .string(2, `m${i}`)
        .take(),
    );
    messages.forEach((message, i) => {
      const reader = new ProtoReader(message);
      reader.nextField();
      expect(reader.uint()).to.equal(i + 1);
      reader.nextField();
      expect(reader.string()).to.equal(`m${i}`);
    });
  });

  it('ProtoReader stays inside a nested message whose length is too large', () => {
    const reader = new ProtoReader(Uint8Array.of(0x0a, 0x05, 0x08, 0x01));
    reader.nextField();
    const outer = reader.enter();
    expect(reader.nextField()).to.equal(0);
    reader.leave(outer);
    expect(reader.failed).to.equal(true);
  });

  it('ProtoReader fails on group wire types, field 0 and a type that was not asked for', () => {
    for (const bytes of [[0x0b], [0x0d, 0, 0, 0, 0], [0x00, 0x01]]) {
      const reader = new ProtoReader(Uint8Array.from(bytes));
      expect(reader.nextField()).to.equal(0);
      expect(reader.failed, bytes.join()).to.equal(true);
    }
    const reader = new ProtoReader(Uint8Array.of(0x08, 0x01));
    reader.nextField();
    expect(reader.bytes()).to.have.lengthOf(0);
    expect(reader.failed).to.equal(true);
  });
});
