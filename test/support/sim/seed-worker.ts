import { seedReportOf } from './seed-report.ts';
import type { Request } from './seed-report.ts';
import { simulate } from './simulation.ts';

/** Simulates the seeds that its parent sends, one after the other, until the parent lets it go. */
process.on('message', (message) => {
  const { seed, profile, lines } = message as Request;
  void simulate(seed, profile).then((report) => process.send?.(seedReportOf(report, lines)));
});
