import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { RedisPlace, RedisTls } from '../queue/redis-place.ts';
import { choice, hosts, isRedisUrl, text } from './forms.ts';

/** The content of a PEM file, given by its path. */
const pemFile = z.string().transform((path, context) => {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    context.addIssue(`cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    return z.NEVER;
  }
});

/** How Redis is reached: by a URL, through sentinels, or as a cluster. */
export const REDIS = {
  REDIS_URL: z
    .string()
    .refine(isRedisUrl, 'must be redis://…, rediss://… or the path of a socket; a # in a password is written as %23')
    .optional()
    .describe(
      'redis://…, rediss://… or the path of a socket. If it is empty, `npm start` runs a Redis of its own with ' +
        'its files under ./data/redis, and `npm run api` and `npm run worker` use redis://127.0.0.1:6379.',
    ),
  REDIS_SENTINELS: hosts(26_379).describe(
    'Sentinels that know the address of the master: host:port of each, separated by commas. Replaces REDIS_URL.',
  ),
  REDIS_SENTINEL_NAME: text.prefault('mymaster').describe('Name of the master that the sentinels watch.'),
  REDIS_SENTINEL_PASSWORD: z.string().optional().describe('Password of the sentinels themselves.'),
  REDIS_CLUSTER_NODES: hosts(6379).describe(
    'Some nodes of a Redis Cluster (7.0 or newer): host:port of each, separated by commas. Replaces REDIS_URL.',
  ),
  REDIS_USERNAME: z.string().optional().describe('User name for sentinels and clusters. A URL contains its own.'),
  REDIS_PASSWORD: z.string().optional().describe('Password for sentinels and clusters. A URL contains its own.'),
  REDIS_TLS: choice(['true', 'false'])
    .prefault('false')
    .describe(
      'true encrypts the connections to servers and sentinels. A REDIS_URL that begins with rediss:// does the same.',
    ),
  REDIS_TLS_CA: pemFile
    .optional()
    .describe(
      'Path of a PEM file with the authority that signed the certificate of the server. If it is empty, the ' +
        'public authorities count.',
    ),
  REDIS_TLS_CERT: pemFile
    .optional()
    .describe('Path of a PEM file with the certificate of this service, if the server asks for one.'),
  REDIS_TLS_KEY: pemFile.optional().describe('Path of a PEM file with the key of that certificate.'),
} as const;

type RedisSettings = z.infer<z.ZodObject<typeof REDIS>>;

/** Returns where Redis is. Undefined if no setting says it. */
export function redisPlace(values: RedisSettings): RedisPlace | undefined {
  const { REDIS_URL: url, REDIS_CLUSTER_NODES: nodes, REDIS_SENTINELS: sentinels } = values;
  const credentials = { username: values.REDIS_USERNAME, password: values.REDIS_PASSWORD };
  const tls = usesTls(values) ? redisTls(values) : undefined;
  if (nodes.length > 0) return { nodes, ...credentials, tls };
  if (sentinels.length === 0) return url === undefined || tls === undefined ? url : { url, tls };
  return {
    sentinels,
    masterName: values.REDIS_SENTINEL_NAME,
    sentinelPassword: values.REDIS_SENTINEL_PASSWORD,
    ...credentials,
    tls,
  };
}

/** Returns a sentence about settings of Redis that exclude each other. Undefined if they fit together. */
export function redisContradiction(values: RedisSettings): string | undefined {
  const places = [values.REDIS_URL ?? [], values.REDIS_SENTINELS, values.REDIS_CLUSTER_NODES].filter(
    ({ length }) => length > 0,
  );
  if (places.length > 1) return 'only one of REDIS_URL, REDIS_SENTINELS and REDIS_CLUSTER_NODES may be set';
  if (values.REDIS_URL !== undefined && (values.REDIS_USERNAME ?? values.REDIS_PASSWORD) !== undefined)
    return (
      'if REDIS_URL is set, write the user name and the password into it instead of REDIS_USERNAME and ' +
      'REDIS_PASSWORD'
    );
  if ((values.REDIS_TLS_CERT === undefined) !== (values.REDIS_TLS_KEY === undefined))
    return 'REDIS_TLS_CERT and REDIS_TLS_KEY must be set together';
  if ((values.REDIS_TLS_CA ?? values.REDIS_TLS_CERT) !== undefined && !usesTls(values))
    return (
      'REDIS_TLS_CA, REDIS_TLS_CERT and REDIS_TLS_KEY need REDIS_TLS=true or a REDIS_URL that begins with ' +
      'rediss://'
    );
  if (values.REDIS_TLS === 'true' && (places.length === 0 || isSocket(values.REDIS_URL)))
    return 'REDIS_TLS=true needs a Redis that is reached over the network';
  return undefined;
}

function usesTls(values: RedisSettings): boolean {
  return values.REDIS_TLS === 'true' || values.REDIS_URL?.startsWith('rediss:') === true;
}

function redisTls(values: RedisSettings): RedisTls {
  return { ca: values.REDIS_TLS_CA, cert: values.REDIS_TLS_CERT, key: values.REDIS_TLS_KEY };
}

function isSocket(url: string | undefined): boolean {
  return url?.startsWith('/') === true || url?.startsWith('unix:') === true;
}
