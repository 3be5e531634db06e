import { ConfigError } from '../settings/config.ts';
import { isPassing, nameOf, statusOf } from './s3-errors.ts';

const WRONG_REGION: ReadonlySet<string> = new Set([
  'PermanentRedirect',
  'AuthorizationHeaderMalformed',
  'IllegalLocationConstraintException',
]);

/** Describes the failed first request in one line. A `ConfigError` unless the error is temporary. */
export function startError(error: unknown, bucket: string, endpoint: string | undefined): Error {
  const where = endpoint ?? 'Amazon';
  const reason = error instanceof Error ? error.message : String(error);
  if (isPassing(error))
    return new Error(`STORAGE: S3 at ${where} does not respond: ${reason || nameOf(error)}`, { cause: error });
  return new ConfigError(`STORAGE: ${mistakeIn(error, bucket, where, reason)}`);
}

function mistakeIn(error: unknown, bucket: string, where: string, reason: string): string {
  const name = nameOf(error);
  if (name === 'NoSuchBucket') return `S3 at ${where} has no bucket "${bucket}"`;
  if (reason === 'Region is missing') return 'the region is missing; set S3_REGION';
  if (name === 'CredentialsProviderError')
    return 'no S3 credentials are found; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or use an AWS profile';
  if (statusOf(error) === 301 || WRONG_REGION.has(name))
    return `bucket "${bucket}" is in another region; set S3_REGION (${reason})`;
  if (statusOf(error) === 403 || name === 'ExpiredToken')
    return `S3 at ${where} rejects these credentials for bucket "${bucket}": ${name}`;
  return `S3 at ${where} rejects bucket "${bucket}": ${name}: ${reason}`;
}
