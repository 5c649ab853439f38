import { mkdirSync, writeFileSync } from 'node:fs';
import { arch, cpus, release } from 'node:os';
import { dirname } from 'node:path';
import Table from 'cli-table3';
import type { Figure } from './figures.ts';
import { generator } from './load.ts';
import { judge, shown } from './marks.ts';
import type { Verdict } from './marks.ts';
import type { Options } from './options.ts';

/** Prints what was measured and writes it to the file. False when a mark was missed. */
export function report(figures: readonly Figure[], system: string, options: Options): boolean {
  const verdicts = judge(figures, system);
  console.log(figureTable(figures, system));
  if (verdicts.length > 0) console.log(markTable(verdicts));
  const { seconds, warmUpSeconds, rounds, program, against, jsonPath } = options;
  const document = {
    at: new Date().toISOString(),
    machine: machine(),
    generator,
    options: { seconds, warmUpSeconds, rounds, program, against },
    figures,
    marks: verdicts,
  };
  mkdirSync(dirname(jsonPath), { recursive: true });
  writeFileSync(jsonPath, `${JSON.stringify(document, null, 2)}\n`);
  console.log(`Figures are in ${jsonPath}`);
  return verdicts.every(({ reached }) => reached);
}

function machine(): object {
  const [first] = cpus();
  const processor = { model: first?.model ?? 'unknown', count: cpus().length };
  return { processor, node: process.version, system: `${process.platform} ${release()} ${arch()}` };
}

function figureTable(figures: readonly Figure[], system: string): string {
  const others = new Set(figures.map((one) => one.system)).size > 1;
  const table = new Table({
    head: [
      'measure',
      'system',
      'median',
      'p50 ms',
      'p99 ms',
      'CPU us',
      'failed',
      ...(others ? ['x'] : []),
    ],
    style: { head: [], border: [] },
    colAligns: ['left', 'left', 'right', 'right', 'right', 'right', 'right', 'right'],
  });
  for (const figure of figures) {
    const { measure, p50Ms, p99Ms, cpuUs, failures } = figure;
    const own = figures.find((one) => one.measure === measure && one.system === system);
    const ratio = own === undefined ? '' : (own.median / figure.median).toFixed(2);
    table.push([
      ...[measure, figure.system, shown(figure.median)],
      ...[
        p50Ms?.toFixed(2) ?? '',
        p99Ms?.toFixed(2) ?? '',
        cpuUs?.toFixed(0) ?? '',
        String(failures),
      ],
      ...(others ? [figure.system === system ? '' : ratio] : []),
    ]);
  }
  return table.toString();
}

function markTable(verdicts: readonly Verdict[]): string {
  const table = new Table({
    head: ['mark', '', 'measured', 'reached'],
    style: { head: [], border: [] },
  });
  for (const { measure, mark, measured, text } of verdicts) {
    table.push([measure, mark, measured, text]);
  }
  return table.toString();
}
