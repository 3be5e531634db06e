/** Columns under their headings: the first to the left, the others, figures, to the right. */
export function formatTable(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = headings.map((heading, column) => Math.max(heading.length, ...rows.map((row) => (row[column] ?? '').length)));
  const line = (cells: readonly string[]) =>
    cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  ');
  return [line(headings), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(line)].join('\n');
}

/** `digits` after the point; a dash for what there is no figure of. */
export function figure(value: number, digits = 0): string {
  return Number.isFinite(value) ? value.toFixed(digits) : '-';
}

/** What a figure must not exceed, or not fall short of. */
export type Target = { what: string; value: number; digits?: number } & ({ most: number } | { least: number });

/** One line for each target: what was measured, what is allowed, whether it holds. */
export function formatTargets(targets: readonly Target[]): string {
  const rows = targets.map((target) => {
    const { what, value, digits = 2 } = target;
    const [allowed, isMet] = 'most' in target ? [`≤ ${target.most}`, value <= target.most] : [`≥ ${target.least}`, value >= target.least];
    return [what, figure(value, digits), allowed, isMet ? 'met' : 'MISSED'];
  });
  return formatTable(['target', 'measured', 'allowed', ''], rows);
}
