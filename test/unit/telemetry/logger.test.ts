import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createLogger } from '../../../src/telemetry/index.ts';
import type { LoggerInit } from '../../../src/telemetry/index.ts';

const run = promisify(execFile);
const telemetry = fileURLToPath(new URL('../../../src/telemetry/index.ts', import.meta.url));

function capture(init: Partial<LoggerInit> = {}) {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const base = { level: 'info', format: 'json', node: 'node1' } as const;
  return { lines, logger: createLogger({ ...base, destination, ...init }) };
}

describe('createLogger', () => {
  it('writes one JSON object per line with time, level, node, fields and message', () => {
    const { lines, logger } = capture();
    logger.warn({ term: 3, key: 'a\nb' }, 'Stepped down');
    expect(lines).to.have.length(1);
    expect(lines[0]).to.match(/^[^\n]+\n$/);
    const { time, ...rest } = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
    expect(rest).to.deep.equal({
      level: 'warn',
      node: 'node1',
      term: 3,
      key: 'a\nb',
      msg: 'Stepped down',
    });
    expect(time).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  it('writes errors with their causes', () => {
    const { lines, logger } = capture();
    logger.error({ error: new Error('outer', { cause: new Error('inner') }) }, 'Failed');
    const { error } = JSON.parse(lines[0] ?? '') as { error: Record<string, string> };
    expect(error['message']).to.equal('outer: inner');
    expect(error['stack']).to.contain('logger.test.ts').and.to.contain('inner');
  });

  it('writes nothing below its level', () => {
    const warned = capture({ level: 'warn' });
    for (const level of ['debug', 'info', 'warn', 'error'] as const)
      warned.logger[level]({}, level);
    expect(warned.lines).to.have.length(2);
    const silent = capture({ level: 'silent' });
    silent.logger.error({}, 'x');
    expect(silent.lines).to.deep.equal([]);
  });

  it('writes pretty lines for people, with colours only when asked', () => {
    const { lines, logger } = capture({ format: 'pretty' });
    logger.info({ term: 3 }, 'Became leader');
    expect(lines.join('')).to.match(
      /^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}\] INFO: \[node1\] Became leader \{"term":3\}\n$/,
    );
    const colored = capture({ format: 'pretty', colors: true });
    colored.logger.info({}, 'x');
    expect(colored.lines.join('')).to.contain('\x1b[');
  });

  for (const format of ['json', 'pretty'] as const) {
    it(`writes everything to standard error before process.exit (${format})`, async () => {
      const script = `
        import { createLogger } from ${JSON.stringify(telemetry)};
        const logger = createLogger({ level: 'info', format: '${format}', node: 'n' });
        for (let i = 0; i < 2000; i++) logger.info({ i }, 'line');
        process.exit(3);`;
      const options = { maxBuffer: 10_000_000 };
      const args = ['--import', 'tsx', '--input-type=module', '--eval', script];
      const ended = await run(process.execPath, args, options).catch((error: unknown) => error);
      const { code, stdout, stderr } = ended as { code: number; stdout: string; stderr: string };
      expect([code, stdout]).to.deep.equal([3, '']);
      expect(stderr.split('\n').filter((line) => line.includes('line'))).to.have.length(2000);
    });
  }
});
