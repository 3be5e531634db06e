import { z } from 'zod';
import { isLoopbackHost } from '../access/allowed-hosts.ts';
import { choice, text } from './forms.ts';

/** Who may create uploads. */
export const ACCESS = {
  ACCESS: choice(['open', 'keys'])
    .optional()
    .describe(
      'Who may create uploads. open: everyone who reaches the service. keys: only holders of an API key or a ticket ' +
        '(docs/access.md). If it is empty, keys with ACCESS_FILE, and open on a loopback HOST. Any other HOST needs ' +
        'ACCESS or ACCESS_FILE.',
    ),
  ACCESS_FILE: text
    .optional()
    .describe(
      'Path of the JSON file with tenants, API keys, ticket keys and quotas (docs/access.md). A change takes effect ' +
        'without a restart.',
    ),
};

type AccessSettings = z.infer<z.ZodObject<typeof ACCESS>>;

/** Returns the value of ACCESS that is in force. */
export function accessMode({ ACCESS: given, ACCESS_FILE: file }: AccessSettings): 'open' | 'keys' {
  return given ?? (file === undefined ? 'open' : 'keys');
}

/** Returns a sentence about settings of access that exclude each other. Undefined if they fit together. */
export function accessContradiction(values: AccessSettings & { HOST: string }): string | undefined {
  const { ACCESS: given, ACCESS_FILE: file, HOST: host } = values;
  if (given === 'keys' && file === undefined)
    return 'ACCESS=keys needs ACCESS_FILE, the path of the file with the keys';
  if (given === 'open' && file !== undefined)
    return 'ACCESS=open and ACCESS_FILE exclude each other: remove one of them';
  if (given === undefined && file === undefined && !isLoopbackHost(host))
    return (
      'HOST is not a loopback address, so choose who may create uploads: ACCESS_FILE=<path> for holders of keys and ' +
      'tickets (docs/access.md), or ACCESS=open for everyone who reaches the service'
    );
  return undefined;
}
