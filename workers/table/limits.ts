import type { TableLimits } from '../../src/settings/config.ts';

const MIB = 1024 * 1024;

/** The settings' defaults. A record and its JSON are in memory together, a few times over. */
export const TABLE_LIMITS: TableLimits = {
  maxLineBytes: MIB,
  maxColumns: 2000,
  maxUnpackedBytes: 1024 * MIB,
  maxOutputBytes: 2048 * MIB,
};
