import type { Evidence, EvidenceVote, SampleStatus } from '../../shared/index.ts';
import { asNodeId } from '../../shared/index.ts';
import type { ProtoReader, ProtoWriter } from '../../wire/index.ts';
import { nameOf, numberOf, sampleStatuses, verdicts } from './names.ts';

/** Message quorate.command.Evidence as field `field`. */
export function writeEvidence(writer: ProtoWriter, field: number, evidence: Evidence): void {
  const mark = writer.begin(field, 0x80);
  writer.uint(1, evidence.quorum).uint(2, evidence.minZones);
  for (const vote of evidence.votes) writeVote(writer, vote);
  writer.end(mark);
}

function writeVote(writer: ProtoWriter, vote: EvidenceVote): void {
  const mark = writer.begin(3);
  writer.string(1, vote.node).string(2, vote.zone).uint(3, numberOf(verdicts, vote.verdict));
  writer.bytes(
    4,
    Uint8Array.from(vote.samples, (sample) => numberOf(sampleStatuses, sample)),
  );
  writer.presentSint(5, Math.round(vote.ageMs));
  writer.bool(6, vote.counted).string(7, vote.why);
  writer.end(mark);
}

export function readEvidence(reader: ProtoReader): Evidence {
  const outerEnd = reader.enter();
  let quorum = 0;
  let minZones = 0;
  const votes: EvidenceVote[] = [];
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) quorum = reader.uint();
    else if (field === 2) minZones = reader.uint();
    else if (field === 3) votes.push(readVote(reader));
    else reader.fail(0);
  }
  reader.leave(outerEnd);
  return { quorum, minZones, votes };
}

function readVote(reader: ProtoReader): EvidenceVote {
  const outerEnd = reader.enter();
  let node = '';
  let zone = '';
  let verdict: EvidenceVote['verdict'] | undefined;
  let samples: readonly SampleStatus[] = [];
  let ageMs = 0;
  let counted = false;
  let why = '';
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) node = reader.string();
    else if (field === 2) zone = reader.string();
    else if (field === 3) verdict = nameOf(verdicts, reader.uint());
    else if (field === 4) samples = readSamples(reader);
    else if (field === 5) ageMs = reader.sint();
    else if (field === 6) counted = reader.bool();
    else if (field === 7) why = reader.string();
    else reader.fail(0);
  }
  reader.leave(outerEnd);
  const known = verdict ?? reader.fail<EvidenceVote['verdict']>('ABSTAIN');
  return { node: asNodeId(node), zone, verdict: known, samples, ageMs, counted, why };
}

function readSamples(reader: ProtoReader): readonly SampleStatus[] {
  const samples: SampleStatus[] = [];
  reader.packed((number) => {
    const sample = nameOf(sampleStatuses, number);
    if (sample === undefined) reader.fail(0);
    else samples.push(sample);
  });
  return samples;
}
