import type { Context } from 'koa';
import type { Caller } from '../access/caller.ts';
import { ServiceError } from '../errors.ts';
import { queryParameter } from '../http/parameters.ts';
import { withCaller, type RequestScope } from '../http/request-scope.ts';
import { readJsonBody } from '../intake/json-body.ts';
import { METADATA_FIELD, withMetadata } from '../intake/metadata.ts';
import type { ReceivedUpload } from '../intake/read-received.ts';
import type { ImportIntake } from '../roads/import/import-intake.ts';
import { importRequestSchema } from '../wire/import-schemas.ts';
import { parseBody } from '../wire/parse-body.ts';

/** True if the body of a request is JSON. */
export function isJson(ctx: Context): boolean {
  return /^application\/json\s*(;|$)/i.test(ctx.get('Content-Type'));
}

/**
 * Creates the upload of a file that a worker fetches. Throws `not_multipart` (415) for JSON that names no address, and
 * as `ImportIntake.create`.
 */
export async function createImport(
  ctx: Context,
  { imports }: { imports: Pick<ImportIntake, 'create'> },
  scope: RequestScope,
  sender: Caller,
): Promise<ReceivedUpload> {
  const body = await readJsonBody(ctx.req).catch((error: unknown) => {
    throw error instanceof ServiceError && error.code === 'bad_request' ? noAddress() : error;
  });
  if (typeof body !== 'object' || body === null || !('url' in body)) throw noAddress();
  const request = parseBody(importRequestSchema, body);
  const caller = withMetadata(sender, queryParameter(ctx, METADATA_FIELD), 'The query parameter "metadata"');
  return await imports.create(withCaller(scope, caller), request);
}

function noAddress(): ServiceError {
  return new ServiceError(
    'not_multipart',
    'The request is neither a form nor the JSON of an import. Send multipart/form-data, or JSON with "url".',
  );
}
