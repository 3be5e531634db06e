import type { Body, Meta, UppyFile } from '@uppy/core';
import { isRecord } from '../../client/wire.ts';

const UUID = /[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}/;
const WHOLE_ID = new RegExp(`^${UUID.source}$`);
/** The last part of a path, before a query. */
const LAST_ID = new RegExp(`/(${UUID.source})/?(?:[?#]|$)`);

/**
 * Returns the id of the upload that holds the bytes of a file: from the service's answer, from the address that tus
 * gave, or from `meta.uploadId`. Undefined if the file has none of them.
 */
export function uploadIdOf<M extends Meta, B extends Body>(file: UppyFile<M, B>): string | undefined {
  const { response, uploadURL, meta } = file;
  return idIn(response?.body, file.name) ?? idOfUrl(response?.uploadURL ?? uploadURL) ?? idFrom(meta['uploadId']);
}

/** Returns the id in `body`, which is an Upload, or the list of Uploads that answers a form. */
function idIn(body: unknown, name: string): string | undefined {
  if (!isRecord(body)) return undefined;
  const uploads: unknown = body['uploads'];
  if (!Array.isArray(uploads)) return idFrom(body['id']);
  const documents = uploads.filter(isRecord);
  const own = documents.find(({ file }) => isRecord(file) && file['name'] === name) ?? documents[0];
  return idFrom(own?.['id']);
}

function idOfUrl(url: string | undefined): string | undefined {
  return url === undefined ? undefined : LAST_ID.exec(url)?.[1];
}

function idFrom(value: unknown): string | undefined {
  return typeof value === 'string' && WHOLE_ID.test(value) ? value : undefined;
}
