import type { TableLimits } from '../../src/settings/config.ts';

const MIB = 1024 * 1024;

/**
 * The output may be this many times as large as the table. It grows because each row repeats the names of its columns.
 */
const MAX_GROWTH = 20;
/** This much output is allowed even for a small table. */
const ALWAYS_ALLOWED_BYTES = 64 * MIB;

/** Returns the maximum number of bytes of the rows as JSON Lines, for a table of this size. */
export function maxOutputBytes({ maxOutputBytes: most }: TableLimits, tableBytes: number): number {
  return Math.min(most, Math.max(ALWAYS_ALLOWED_BYTES, MAX_GROWTH * tableBytes));
}

/** The defaults of the settings. `maxLineBytes` is low because memory holds several copies of a row and its JSON. */
export const TABLE_LIMITS: TableLimits = {
  maxLineBytes: MIB,
  maxColumns: 2000,
  maxUnpackedBytes: 1024 * MIB,
  maxOutputBytes: 2048 * MIB,
};
