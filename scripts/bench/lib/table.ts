/** Formats a table with the first column aligned left and the others right. */
export function formatTable(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => (row[column] ?? '').length)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ');
  return [line(headings), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(line)].join('\n');
}

/** Formats a number with `digits` decimals, or a dash for NaN. */
export function figure(value: number, digits = 0): string {
  return Number.isFinite(value) ? value.toFixed(digits) : '-';
}

/** An upper limit of a figure. */
export interface Target {
  what: string;
  value: number;
  most: number;
  digits?: number;
}

/** Returns one line per target: the measured value, the limit, and whether it is kept. */
export function formatTargets(targets: readonly Target[]): string {
  const rows = targets.map(({ what, value, most, digits = 2 }) => [
    what,
    figure(value, digits),
    `≤ ${most}`,
    verdict(value, value <= most),
  ]);
  return formatTable(['target', 'measured', 'allowed', ''], rows);
}

/** Returns whether a target is met, or a dash if it was not measured. */
export function verdict(value: number, isMet: boolean): string {
  if (!Number.isFinite(value)) return '-';
  return isMet ? 'met' : 'MISSED';
}
