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
