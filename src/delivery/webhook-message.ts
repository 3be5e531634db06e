import { mountedDocument } from '../http/mount-path.ts';
import { asSeen, withResult } from '../record/read-record.ts';
import { decodeRecord, type RecordFields } from '../record/record-fields.ts';
import { toUpload } from '../record/upload-document.ts';
import { DEFAULT_TENANT } from '../access/caller.ts';
import type { Webhook, WebhookEvent } from '../wire/documents.ts';
import { WEBHOOK_EVENTS } from '../wire/webhook-schemas.ts';

/** A webhook, the same for every endpoint. */
export interface WebhookMessage {
  /** `{upload id}.{version}`, the same for every try and after a restore from the storage. */
  readonly id: string;
  readonly type: WebhookEvent;
  readonly tenant: string;
  /** JSON. The same bytes are signed and sent. */
  readonly body: string;
  /** Time of the event by the clock of Redis, in ms since 1970. */
  readonly atMs: number;
  /** Position of the span that queued the upload, see `encodeTraceContext`; only if the request was traced. */
  readonly trace?: string;
}

/**
 * Builds the message from the fields of an outbox entry. Throws if they are not those of a final upload.
 * @param mountPath begins every link of the document.
 */
export function toMessage(fields: RecordFields, mountPath: string): WebhookMessage {
  const type = WEBHOOK_EVENTS.find((known) => known === `upload.${fields['event']}`);
  if (type === undefined) throw new Error(`the outbox has an entry with the unknown event ${String(fields['event'])}`);
  const record = decodeRecord(fields['id'] ?? '', fields);
  const atMs = record.updatedAtMs;
  // An entry always has the result, also a large one.
  const data = toUpload(withResult(asSeen(record), null));
  const webhook: Webhook = { type, timestamp: new Date(atMs).toISOString(), data };
  return {
    id: `${record.id}.${record.version}`,
    type,
    tenant: fields['tenant'] || DEFAULT_TENANT,
    body: JSON.stringify({ ...webhook, data: mountedDocument(mountPath, webhook.data) }),
    atMs,
    ...(record.trace === undefined ? {} : { trace: record.trace }),
  };
}
