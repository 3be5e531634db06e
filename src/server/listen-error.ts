import { ConfigError } from '../settings/config.ts';

/** Error codes of `listen` and of its name lookup that are caused by a setting. */
const CAUSES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'PORT is in use by another process',
  EACCES: 'PORT needs a permission that this user does not have; use one above 1023',
  EADDRNOTAVAIL: 'HOST is not an address of this machine',
  EINVAL: 'the server cannot listen on the address in HOST',
  ENOTFOUND: 'HOST is a name that cannot be resolved',
  EAI_AGAIN: 'HOST is a name that cannot be resolved at the moment',
};

/** Returns an error that names the wrong setting if the server cannot listen; undefined for any other error. */
export function listenError(error: unknown): ConfigError | undefined {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return undefined;
  if (error.syscall !== 'listen' && error.syscall !== 'getaddrinfo') return undefined;
  const cause = typeof error.code === 'string' ? CAUSES[error.code] : undefined;
  return cause === undefined ? undefined : new ConfigError(`${cause}: ${error.message}`);
}
