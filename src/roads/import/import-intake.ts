import { randomUUID } from 'node:crypto';
import type { Caller } from '../../access/caller.ts';
import { isLoopbackHost } from '../../access/allowed-hosts.ts';
import { ServiceError } from '../../errors.ts';
import { untilAborted } from '../../http/pinned-lookup.ts';
import type { RequestScope } from '../../http/request-scope.ts';
import { cleanFileName } from '../../intake/file-name.ts';
import { IncomingUpload, type IntakeParts } from '../../intake/incoming-upload.ts';
import { requireShortOptions } from '../../intake/options.ts';
import type { ReceivedUpload } from '../../intake/read-received.ts';
import { rejectionToError } from '../../intake/receive-progress.ts';
import { optionsFor, ticketForbids } from '../../intake/ticket-rules.ts';
import { recordOf } from '../../record/change-outcome.ts';
import { asSeen } from '../../record/read-record.ts';
import type { UploadRecord } from '../../record/record-fields.ts';
import type { Config } from '../../settings/config.ts';
import { positionText } from '../../telemetry/tracing.ts';
import type { ImportRequest } from '../../wire/import-schemas.ts';
import type { ImportQueue } from './import-queue.ts';
import { asRefusal, importUrl, nameInUrl, type ImportAddresses } from './import-url.ts';

/** The request waits at most this time for a name server. The worker resolves the host again. */
const LOOKUP_LIMIT_MS = 2_000;

interface ImportIntakeParts extends Omit<IntakeParts, 'queue'> {
  queue: Pick<ImportQueue, 'add'>;
  addresses: ImportAddresses;
  /** True if everybody may import in open mode. */
  isOpenToAll: boolean;
}

/**
 * Returns whether imports need no key in open mode: only if no other machine can reach the service. Otherwise anyone
 * could make it fetch any public address.
 */
export function mayImportOpenly(
  { host, allowedHosts, trustedProxies }: Pick<Config, 'host' | 'allowedHosts' | 'trustedProxies'>,
  isEmbedded: boolean,
): boolean {
  return !isEmbedded && isLoopbackHost(host) && allowedHosts.length === 0 && trustedProxies.length === 0;
}

/** Creates uploads whose bytes a worker fetches. */
export class ImportIntake {
  readonly #parts: ImportIntakeParts;

  constructor(parts: ImportIntakeParts) {
    this.#parts = parts;
  }

  /**
   * Creates the record and the job. Throws `ticket_required` (401) or `ticket_forbids` (403) if the caller may not
   * import, `import_refused` (400) for an address that is not allowed, `bad_options` (400), and as
   * `IncomingUpload.open`.
   */
  async create(scope: RequestScope, request: ImportRequest): Promise<ReceivedUpload> {
    this.#requirePermission(scope.caller);
    const url = importUrl(request.url);
    const options = optionsFor(scope.caller, requireShortOptions(request.options, 'The member "options"'));
    const { admission, addresses } = this.#parts;
    await admission.requireRate(scope);
    await requireAllowed(addresses, url);
    const fileName = cleanFileName(request.fileName ?? nameInUrl(url));
    const announced = { id: randomUUID(), fileName, totalBytes: null, options };
    // The upload needs no permit before its bytes are stored.
    const parts = { ...this.#parts, queue: { add: async () => undefined } };
    const outcome = await IncomingUpload.open(parts, scope, announced, admission.queueLimits(scope.address));
    if ('existing' in outcome) throw new Error('a new id has a record');
    try {
      const record = await this.#begin(scope, outcome.opened.record, url);
      return { id: record.id, known: asSeen(record), isCurrent: true };
    } catch (error) {
      await outcome.opened.forget();
      throw error;
    }
  }

  async #begin({ span }: RequestScope, { id, fencingToken }: UploadRecord, url: URL): Promise<UploadRecord> {
    const road = { name: 'import' as const, url: url.href };
    const outcome = await this.#parts.records.roads.set(id, fencingToken, {
      road,
      stage: 'fetch',
      trace: positionText(span),
    });
    if (!outcome.applied) throw rejectionToError(outcome);
    const record = recordOf(outcome);
    await this.#parts.queue.add(id);
    return record;
  }

  #requirePermission({ via, ticket }: Caller): void {
    if (via === 'key' || (via === 'open' && this.#parts.isOpenToAll)) return;
    if (via === 'open')
      throw new ServiceError(
        'ticket_required',
        'Imports need an API key or a ticket if other machines can reach the service. Set ACCESS_FILE.',
        { headers: { 'WWW-Authenticate': 'Bearer realm="deferred-uploads"' } },
      );
    if (ticket?.mayImport !== true)
      throw ticketForbids('The ticket allows no imports. Get a ticket with "import": true.');
  }
}

/** Throws for a forbidden host. An unknown one is tried again by the worker, which reports the failure. */
async function requireAllowed(addresses: ImportAddresses, url: URL): Promise<void> {
  try {
    await untilAborted(addresses.of(url), AbortSignal.timeout(LOOKUP_LIMIT_MS));
  } catch (error) {
    const refusal = asRefusal(error);
    if (refusal !== undefined) throw refusal;
  }
}
