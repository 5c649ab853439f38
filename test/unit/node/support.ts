import type { Logger } from '../../../src/shared/index.ts';

/** Lines of a log, for tests that look at what was said. */
export class LinesLogger implements Logger {
  readonly lines: { level: string; fields: Readonly<Record<string, unknown>>; message: string }[] =
    [];

  debug(fields: Readonly<Record<string, unknown>>, message: string): void {
    this.lines.push({ level: 'debug', fields, message });
  }

  info(fields: Readonly<Record<string, unknown>>, message: string): void {
    this.lines.push({ level: 'info', fields, message });
  }

  warn(fields: Readonly<Record<string, unknown>>, message: string): void {
    this.lines.push({ level: 'warn', fields, message });
  }

  error(fields: Readonly<Record<string, unknown>>, message: string): void {
    this.lines.push({ level: 'error', fields, message });
  }

  at(level: string): string[] {
    return this.lines.filter((line) => line.level === level).map((line) => line.message);
  }
}

/** Makes a promise and lets others settle it. */
export function deferred<T>(): {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
} {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: unknown) => void = () => undefined;
  const promise = new Promise<T>((settle, fail) => {
    resolve = settle;
    reject = fail;
  });
  return { promise, resolve, reject };
}

/** How a promise stands: its value, its error's code or message, or 'open'. */
export async function stateOf<T>(promise: Promise<T>): Promise<T | string> {
  const open = Symbol();
  const settled = await Promise.race([
    promise.catch((error: unknown) => (error as { code?: string }).code ?? String(error)),
    new Promise((resolve) => setImmediate(() => resolve(open))),
  ]);
  return settled === open ? 'open' : (settled as T | string);
}
