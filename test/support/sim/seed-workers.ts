import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Request, SeedReport } from './seed-report.ts';

const workerFile = fileURLToPath(new URL('./seed-worker.ts', import.meta.url));

export interface Work {
  readonly jobs: number;
  readonly requests: readonly Request[];
  /** Returns false to have no further seed begun. */
  readonly onReport: (report: SeedReport) => boolean;
}

/** Runs seeds in so many processes at once. Rejects when one of them ends before its time. */
export async function runInWorkers({ jobs, requests, onReport }: Work): Promise<void> {
  const left = [...requests];
  const goOn = (report: SeedReport): void => {
    if (!onReport(report)) left.length = 0;
  };
  await Promise.all(Array.from({ length: jobs }, () => runWorker(() => left.shift(), goOn)));
}

function runWorker(
  next: () => Request | undefined,
  onReport: (report: SeedReport) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = fork(workerFile);
    const goOn = (): void => {
      const request = next();
      if (request === undefined) child.disconnect();
      else child.send(request);
    };
    child.on('message', (report) => {
      onReport(report as SeedReport);
      goOn();
    });
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      if (code === 0) resolve();
      else
        reject(
          new Error(`Cannot go on as a simulator: a worker ended with ${signal ?? code ?? '?'}`),
        );
    });
    goOn();
  });
}
