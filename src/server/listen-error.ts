import { ConfigError } from '../settings/config.ts';

/** Settings that name an address. */
interface AddressSettings {
  readonly host: string;
  readonly port: string;
}

const MAIN_ADDRESS: AddressSettings = { host: 'HOST', port: 'PORT' };

/** Error codes of `listen` and of its name lookup that are caused by a setting. */
const CAUSES: Readonly<Record<string, (names: AddressSettings) => string>> = {
  EADDRINUSE: ({ port }) => `${port} is in use by another process`,
  EACCES: ({ port }) => `${port} needs a permission that this user does not have; use one above 1023`,
  EADDRNOTAVAIL: ({ host }) => `${host} is not an address of this machine`,
  EINVAL: ({ host }) => `the server cannot listen on the address in ${host}`,
  ENOTFOUND: ({ host }) => `${host} is a name that cannot be resolved`,
  EAI_AGAIN: ({ host }) => `${host} is a name that cannot be resolved at the moment`,
};

/** Returns an error that names the wrong setting if the server cannot listen; undefined for any other error. */
export function listenError(error: unknown, names: AddressSettings = MAIN_ADDRESS): ConfigError | undefined {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return undefined;
  if (error.syscall !== 'listen' && error.syscall !== 'getaddrinfo') return undefined;
  const cause = typeof error.code === 'string' ? CAUSES[error.code]?.(names) : undefined;
  return cause === undefined ? undefined : new ConfigError(`${cause}: ${error.message}`);
}
