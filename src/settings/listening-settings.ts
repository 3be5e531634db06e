import { z } from 'zod';
import { addressRanges, hostNames, integer, origins, text } from './forms.ts';

/** Where an API process listens, and from where it accepts requests. */
export const LISTENING = {
  HOST: text
    .prefault('127.0.0.1')
    .describe('Address to listen on. 127.0.0.1 serves only this machine; 0.0.0.0 serves the network.'),
  PORT: integer(3000, 0, 65_535).describe(
    'Port to listen on. 0 picks a free one; the log line "listening" contains it.',
  ),
  TRUSTED_PROXIES: addressRanges.describe(
    'Addresses or ranges of your proxies, separated by commas. X-Forwarded-For, Forwarded and ' +
      'X-Forwarded-Host are read only if they come from one of these.',
  ),
  ALLOWED_HOSTS: hostNames.describe(
    'Host names that requests may be sent to besides localhost, 127.0.0.1, [::1] and HOST, separated by ' +
      'commas, without ports. Other names get 421. * allows every name, and so does an empty value if HOST is ' +
      'not a loopback address or ACCESS is keys.',
  ),
  CORS_ORIGINS: origins.describe(
    'Other sites whose pages may use the API (CORS): origins such as https://app.example, separated by ' +
      'commas, or * for all. Pages of other sites get 403 for requests that change something.',
  ),
  // The token is so long that nobody can guess it. A header can carry it without escapes.
  OPERATORS_TOKEN: z
    .string()
    .regex(/^[\x21-\x7e]{16,256}$/, 'must be 16 to 256 letters, digits and signs without spaces')
    .optional()
    .describe(
      'Secret that opens the page for operators at /operators: 16 to 256 letters, digits and signs, such as ' +
        '`openssl rand -hex 24` prints. If it is empty, there is no such page (docs/operators.md).',
    ),
};
