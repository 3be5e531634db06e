import type { TableLimits } from '../../src/settings/config.ts';

const MIB = 1024 * 1024;

/** Each row repeats the names of its columns, so a small table can become hundreds of times as large. */
const MAX_GROWTH = 20;
/** Nobody is harmed by so much, however small the table was. */
const ALWAYS_ALLOWED_BYTES = 64 * MIB;

/** The most that the rows of a table of that size may take as JSON Lines. */
export function maxOutputBytes({ maxOutputBytes: most }: TableLimits, tableBytes: number): number {
  return Math.min(most, Math.max(ALWAYS_ALLOWED_BYTES, MAX_GROWTH * tableBytes));
}

/** The settings' defaults. A record and its JSON are in memory together, a few times over. */
export const TABLE_LIMITS: TableLimits = {
  maxLineBytes: MIB,
  maxColumns: 2000,
  maxUnpackedBytes: 1024 * MIB,
  maxOutputBytes: 2048 * MIB,
};
