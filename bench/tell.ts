/** News of a run; its results go to standard output. */
export function tell(text: string): void {
  console.error(text);
}
