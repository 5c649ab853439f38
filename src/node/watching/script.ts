/** A user's script as it is started: an absolute program and the arguments before ours. */
export interface Script {
  readonly file: string;
  readonly args: readonly string[];
}
