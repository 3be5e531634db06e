import type { TenantFigures } from '../../wire/documents.ts';
import { make, required, setText } from '../dom.ts';
import { formatBytes } from '../format.ts';
import { formatCount } from './format-figures.ts';

type Quota = keyof TenantFigures['listed'][number]['use'];

/** The columns after name and weight, in the order of operators.html. */
const COLUMNS: readonly (readonly [quota: Quota, format: (amount: number) => string])[] = [
  ['waiting', formatCount],
  ['receiving', formatCount],
  ['uploadsPerDay', formatCount],
  ['bytesPerDay', formatSize],
  ['storedBytes', formatSize],
  ['createPerMinute', formatCount],
];

/** One cell of the table. */
interface TenantCell {
  readonly text: string;
  /** True if the limit is reached. */
  readonly isFull: boolean;
}

/** Shows the tenants, or hides the section in open mode. */
export function showTenants(tenants: TenantFigures | null): void {
  required('#tenants', HTMLElement).hidden = tenants === null;
  if (tenants === null) return;
  const { count, listed } = tenants;
  required('#tenant-rows', HTMLElement).replaceChildren(...listed.map(rowOf));
  const more = required('#tenants-more', HTMLElement);
  more.hidden = count <= listed.length;
  setText(more, `Tenants that are not shown: ${formatCount(count - listed.length)}.`);
}

/** Returns the use of each quota, with its limit if there is one: `3 of 500`. */
export function tenantCells({ limits, use }: TenantFigures['listed'][number]): TenantCell[] {
  return COLUMNS.map(([quota, format]) => {
    const limit = limits[quota];
    if (limit === undefined) return { text: format(use[quota]), isFull: false };
    return { text: `${format(use[quota])} of ${format(limit)}`, isFull: use[quota] >= limit };
  });
}

function rowOf(tenant: TenantFigures['listed'][number]): HTMLTableRowElement {
  const cells = tenantCells(tenant).map(({ text, isFull }) => make('td', isFull ? 'number bad' : 'number', text));
  return make('tr', '', make('td', '', tenant.name), make('td', 'number', String(tenant.weight)), ...cells);
}

function formatSize(bytes: number): string {
  return bytes === 0 ? '0' : formatBytes(bytes, 'en-GB');
}
