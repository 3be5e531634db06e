import { clientAddresses, type ClientAddress } from '../http/client-address.ts';
import { trustedProxies, type IsTrustedProxy } from '../http/trusted-proxies.ts';
import type { Config } from '../settings/config.ts';
import type { Logger } from '../telemetry/log.ts';

/** Returns how the address of a client is found behind the proxies of `TRUSTED_PROXIES`. */
export function clientsBehindProxies(
  { trustedProxies: proxies }: Config,
  log: Logger,
): { isTrustedProxy: IsTrustedProxy; addressOf: ClientAddress } {
  const isTrustedProxy = trustedProxies(proxies);
  const addressOf = clientAddresses(isTrustedProxy, (hop) =>
    log.warn({ hop: hop.slice(0, 100) }, 'forwarded address not understood'),
  );
  return { isTrustedProxy, addressOf };
}
