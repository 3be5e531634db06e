import { ConfigError } from '../settings/config.ts';

/** The faults of `listen` and of the look-up before it that a setting causes. */
const FAULTS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'PORT is taken by another process',
  EACCES: 'PORT needs a permission that this user does not have; use one above 1023',
  EADDRNOTAVAIL: 'HOST is not an address of this machine',
  EINVAL: 'HOST is not an address that can be listened on',
  ENOTFOUND: 'HOST is a name that cannot be resolved',
  EAI_AGAIN: 'HOST is a name that cannot be resolved now',
};

/** One line that names the setting because of which a server could not listen. Undefined for any other error. */
export function listenFault(error: unknown): ConfigError | undefined {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return undefined;
  if (error.syscall !== 'listen' && error.syscall !== 'getaddrinfo') return undefined;
  const words = typeof error.code === 'string' ? FAULTS[error.code] : undefined;
  return words === undefined ? undefined : new ConfigError(`${words}: ${error.message}`);
}
