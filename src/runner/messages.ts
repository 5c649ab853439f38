import type { RunResult, ScriptJob } from './types.ts';

/** From the daemon to its runner process. */
export type ToRunner =
  | { readonly kind: 'run'; readonly id: number; readonly job: ScriptJob }
  /** Kill verifications; notifications go on. */
  | { readonly kind: 'stopVerifying' };

/** From the runner process to its daemon. */
export type FromRunner =
  | { readonly kind: 'ready' }
  /** `pid` names the script's process group too. */
  | { readonly kind: 'started'; readonly id: number; readonly pid: number }
  | { readonly kind: 'ended'; readonly id: number; readonly result: RunResult };
