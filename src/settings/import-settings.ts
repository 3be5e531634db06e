import { addressRanges, integer } from './forms.ts';

/** Uploads whose bytes a worker fetches from an address. */
export const IMPORTS = {
  IMPORT_ALLOW: addressRanges.describe(
    'Addresses or ranges that files may be imported from although they are not public, such as 10.0.0.0/8, ' +
      'separated by commas. Loopback, private and link-local addresses are refused otherwise (docs/import.md).',
  ),
  IMPORT_TIMEOUT_MS: integer(3_600_000, 1000, 86_400_000).describe(
    'Longest time that a worker may take to fetch one file. UPLOAD_MAX_BYTES limits its size, and a server that ' +
      'sends nothing for UPLOAD_STALL_TIMEOUT_MS is given up.',
  ),
};
