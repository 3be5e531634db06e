/** Columns under their headings: the first to the left, the others, figures, to the right. */
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

/** `digits` after the point; a dash for what there is no figure of. */
export function figure(value: number, digits = 0): string {
  return Number.isFinite(value) ? value.toFixed(digits) : '-';
}

/** What a figure must not exceed. */
export interface Target {
  what: string;
  value: number;
  most: number;
  digits?: number;
}

/** One line for each target: what was measured, what is allowed, whether it holds. */
export function formatTargets(targets: readonly Target[]): string {
  const rows = targets.map(({ what, value, most, digits = 2 }) => [
    what,
    figure(value, digits),
    `≤ ${most}`,
    value <= most ? 'met' : 'MISSED',
  ]);
  return formatTable(['target', 'measured', 'allowed', ''], rows);
}
