import type { Access } from '../src/access/access.ts';
import type { UploadRecord } from '../src/record/record-fields.ts';
import type { Logger } from '../src/telemetry/log.ts';

/**
 * Returns a function that warns once if an upload has a tenant but this process has no access file. Such a process does
 * not know the endpoints of the tenant. Webhooks wait for a worker that does, and nothing else would show it.
 */
export function accessFileWarning(
  { mode }: Pick<Access, 'mode'>,
  log: Pick<Logger, 'warn'>,
): (record: Pick<UploadRecord, 'tenant'>) => void {
  let isDue = mode === 'open';
  return ({ tenant }) => {
    if (!isDue || tenant === null) return;
    isDue = false;
    log.warn(
      { tenant, advice: 'set ACCESS_FILE as for the API processes, or webhooks wait for a worker that has it' },
      'no access file, but uploads of tenants',
    );
  };
}
