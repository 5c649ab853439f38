/** Columns of equal width: the first row is the heading; numbers stand at the right. */
export function textTable(rows: readonly (readonly (string | number)[])[]): string {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => String(row[column] ?? '').length)),
  );
  const isNumeric = (column: number): boolean =>
    rows.slice(1).every((row) => typeof row[column] === 'number' || row[column] === '-');
  const lines = rows.map((row) =>
    widths
      .map((width, column) => {
        const text = String(row[column] ?? '');
        return isNumeric(column) ? text.padStart(width) : text.padEnd(width);
      })
      .join('  ')
      .trimEnd(),
  );
  return lines.map((line) => `${line}\n`).join('');
}
