import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createLogger } from '../../../src/telemetry/index.ts';
import { QuorateError } from '../../../src/shared/index.ts';
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

  it('writes pretty lines without the fields that the message says already', () => {
    const { lines, logger } = capture({ format: 'pretty' });
    const leader = 'node1@0123456789abcdef';
    logger.info({ leader, term: 1, role: null, index: 6 }, 'Leader is node1 (term 1)');
    logger.info({ members: ['a(voter)', 'b(voter)'], key: 'a' }, 'Members: a(voter), b(voter)');
    logger.info({ key: 'e', bytes: 12 }, 'Read 123 bytes');
    const ends = lines.map((line) => line.split('[node1] ')[1]);
    expect(ends).to.deep.equal([
      'Leader is node1 (term 1) {"index":6}\n',
      'Members: a(voter), b(voter)\n',
      'Read 123 bytes {"key":"e","bytes":12}\n',
    ]);
  });

  it('writes pretty lines that nothing in a message can break or colour', () => {
    const { lines, logger } = capture({ format: 'pretty' });
    const key = 'a\nb\u001b[2J\u009b\u2028c';
    logger.warn({ key }, `Event: ${key} is DOWN`);
    expect(lines.join('')).to.match(/Event: a\\u000ab\\u001b\[2J\\u009b\\u2028c is DOWN\n$/);
  });

  it('writes an error with a code as its message, any other with its stack', () => {
    const { lines, logger } = capture({ format: 'pretty' });
    logger.warn({ error: new QuorateError('NO_LEADER', 'Cannot ask') }, 'Later');
    expect(lines.join('')).to.match(/Later: Cannot ask\n$/);
    logger.warn({ error: new Error('odd') }, 'Later');
    expect(lines[1]).to.contain('logger.test.ts');
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
