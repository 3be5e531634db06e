import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import S3rver from 's3rver';
import { loadConfig } from '../../src/settings/config.ts';
import type { S3Settings } from '../../src/settings/s3-settings.ts';
import { listen } from './listen.ts';
import { S3Memory } from './s3-memory.ts';

/** The only credentials that the server accepts, as environment variables. */
export const S3_CREDENTIALS = { AWS_ACCESS_KEY_ID: 'S3RVER', AWS_SECRET_ACCESS_KEY: 'S3RVER' };

const BUCKET = 'test-bucket';

/** One request, in S3's words: `PutObject`, `UploadPart`, `ListObjectsV2` and so on. */
export interface S3Request {
  operation: string;
  /** Number of the request within its operation, from 1. */
  count: number;
  request: IncomingMessage;
  response: ServerResponse;
  /** Lets the server answer it. */
  proceed: () => Promise<void>;
}

/** Replaces the answer to a request. */
export type Fault = (request: S3Request) => Promise<void> | void;

/** An S3 server for one test. */
export interface S3Server {
  readonly url: string;
  readonly bucket: string;
  /** The stored objects and unfinished uploads. */
  readonly memory: S3Memory;
  /** Settings of the S3 driver, without credentials. */
  readonly settings: S3Settings;
  /** Operations so far, in order. */
  readonly operations: string[];
  /** Handles every request instead of the server. Undefined lets all requests through. */
  fault: Fault | undefined;
  /** Entries of one page of a list. Default 1000, as S3 has it. */
  pageSize: number;
  close(): Promise<void>;
}

/**
 * Starts s3rver on a free port, and adds its missing parts: pages of lists, lists of uploads, aborting them, and parts
 * that are copied.
 */
export async function startS3Server(): Promise<S3Server> {
  const memory = new S3Memory(BUCKET);
  const app = new S3rver({ silent: true, vhostBuckets: false, configureBuckets: [{ name: BUCKET }] });
  app.store = app.context.store = memory;
  const others = app.callback();
  const operations: string[] = [];
  const http = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://s3');
    const operation = operationOf(request, url);
    operations.push(operation);
    const count = operations.filter((name) => name === operation).length;
    const proceed = async () => {
      if (isTakenName(request, url, memory)) return refuse({ response }, 412, 'PreconditionFailed');
      if (isOfParts(operation) && !memory.uploads.has(url.searchParams.get('uploadId') ?? ''))
        return refuse({ response }, 404, 'NoSuchUpload');
      const answer = isTrusted(request, url)
        ? ownAnswer({ operation, url, request }, memory, server.pageSize)
        : undefined;
      if (answer === undefined) await others(request, response);
      else response.writeHead(answer === '' ? 204 : 200, { 'Content-Type': 'application/xml' }).end(answer);
    };
    const failed = () => request.socket.destroy();
    Promise.resolve((server.fault ?? proceed)({ operation, count, request, response, proceed })).catch(failed);
  });
  const url = `http://127.0.0.1:${await listen(http)}`;
  const settings = loadConfig({ S3_ENDPOINT: url }).s3;
  const close = async () => {
    const closed = once(http, 'close');
    http.close();
    http.closeAllConnections();
    await closed;
  };
  const server: S3Server = {
    url,
    bucket: BUCKET,
    memory,
    settings,
    operations,
    fault: undefined,
    pageSize: 1000,
    close,
  };
  return server;
}

/** Makes a fault that answers with an error of S3, or without a name like a proxy in front of it. */
export function refuse({ response }: Pick<S3Request, 'response'>, status: number, name?: string): void {
  const body =
    name === undefined
      ? '<html>Bad Gateway</html>'
      : `<?xml version="1.0"?><Error><Code>${name}</Code><Message>No.</Message></Error>`;
  response.writeHead(status, { 'Content-Type': 'application/xml' }).end(body);
}

/** A fault: performs the request and cuts the connection before the answer. */
export async function loseAnswer({ request, response, proceed }: S3Request): Promise<void> {
  Reflect.set(response, 'end', () => request.socket.destroy());
  await proceed();
}

/** A fault for all requests of one operation, or for the first ones up to a count. */
export function at(operation: string, fault: Fault, upTo = Infinity): Fault {
  return (request) => (request.operation === operation && request.count <= upTo ? fault(request) : request.proceed());
}

function operationOf({ method = '', headers }: IncomingMessage, { pathname, searchParams }: URL): string {
  const isBucket = pathname.split('/').filter((part) => part !== '').length < 2;
  if (isBucket)
    return method === 'POST' ? 'DeleteObjects' : searchParams.has('uploads') ? 'ListMultipartUploads' : 'ListObjectsV2';
  const isOfUpload = searchParams.has('uploadId');
  if (method === 'PUT' && 'x-amz-copy-source' in headers) return isOfUpload ? 'UploadPartCopy' : 'CopyObject';
  const names: Readonly<Record<string, string>> = isOfUpload
    ? { GET: 'ListParts', PUT: 'UploadPart', POST: 'CompleteMultipartUpload', DELETE: 'AbortMultipartUpload' }
    : { GET: 'GetObject', HEAD: 'HeadObject', PUT: 'PutObject', POST: 'CreateMultipartUpload', DELETE: 'DeleteObject' };
  return names[method] ?? method;
}

/** Returns whether a request uses the known key and the known bucket. s3rver itself rejects other requests too. */
function isTrusted(request: IncomingMessage, { pathname }: URL): boolean {
  const isKnown = request.headers.authorization?.includes(`Credential=${S3_CREDENTIALS.AWS_ACCESS_KEY_ID}/`) === true;
  return isKnown && pathname.split('/')[1] === BUCKET;
}

function ownAnswer(
  { operation, url: { searchParams }, request }: { operation: string; url: URL; request: IncomingMessage },
  memory: S3Memory,
  pageSize: number,
): string | undefined {
  if (operation === 'UploadPartCopy') return copiedPart(request, searchParams, memory);
  const asked = (name: string) => searchParams.get(name) ?? '';
  if (operation === 'AbortMultipartUpload') return memory.uploads.delete(asked('uploadId')) ? '' : undefined;
  if (operation === 'ListObjectsV2')
    return objectList(
      memory,
      asked('prefix'),
      asked('continuation-token'),
      Math.min(pageSize, Number(asked('max-keys') || 1000)),
      asked('delimiter'),
    );
  if (operation === 'ListMultipartUploads')
    return uploadList(memory, asked('prefix'), asked('upload-id-marker'), pageSize);
  if (operation === 'ListParts')
    return partList(memory, asked('uploadId'), Number(asked('part-number-marker')), pageSize);
  return undefined;
}

function objectList({ objects }: S3Memory, prefix: string, after: string, pageSize: number, delimiter: string): string {
  const below = [...objects].filter(([key]) => key.startsWith(prefix) && key > after);
  const isInFolder = ([key]: readonly [string, unknown]) =>
    delimiter !== '' && key.slice(prefix.length).includes(delimiter);
  const folders = new Set(
    below.filter(isInFolder).map(([key]) => key.slice(0, key.indexOf(delimiter, prefix.length) + delimiter.length)),
  );
  const rest = below.filter((object) => !isInFolder(object)).sort(([a], [b]) => (a < b ? -1 : 1));
  const page = rest.slice(0, pageSize);
  const contents = [
    ...page.map(
      ([key, { bytes, modifiedAt }]) =>
        `<Contents><Key>${key}</Key><LastModified>${modifiedAt.toISOString()}</LastModified><Size>${bytes.length}</Size></Contents>`,
    ),
    ...[...folders].map((folder) => `<CommonPrefixes><Prefix>${folder}</Prefix></CommonPrefixes>`),
  ];
  const next = page.length < rest.length ? `<NextContinuationToken>${page.at(-1)?.[0]}</NextContinuationToken>` : '';
  return `<ListBucketResult><IsTruncated>${next !== ''}</IsTruncated>${next}${contents.join('')}</ListBucketResult>`;
}

/**
 * Returns whether a request that creates an object only if there is none comes too late. Otherwise its name is taken
 * from now on.
 */
function isTakenName(request: IncomingMessage, { pathname }: URL, memory: S3Memory): boolean {
  if (request.method !== 'PUT' || request.headers['if-none-match'] !== '*') return false;
  return !memory.claim(decodeURIComponent(pathname).slice(BUCKET.length + 2));
}

function uploadList({ uploads }: S3Memory, prefix: string, after: string, pageSize: number): string {
  const rest = [...uploads]
    .filter(([id, { key }]) => key.startsWith(prefix) && id > after)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const page = rest.slice(0, pageSize);
  const items = page.map(
    ([id, { key, begunAt }]) =>
      `<Upload><Key>${key}</Key><UploadId>${id}</UploadId><Initiated>${begunAt.toISOString()}</Initiated></Upload>`,
  );
  const [id, last] = page.at(-1) ?? ['', { key: '' }];
  const next =
    page.length < rest.length
      ? `<NextKeyMarker>${last.key}</NextKeyMarker><NextUploadIdMarker>${id}</NextUploadIdMarker>`
      : '';
  return `<ListMultipartUploadsResult><IsTruncated>${next !== ''}</IsTruncated>${next}${items.join('')}</ListMultipartUploadsResult>`;
}

/** A page of parts. Like S3, the last page has a marker too, and behind the last part the marker is 0. */
function partList({ uploads }: S3Memory, uploadId: string, after: number, pageSize: number): string {
  const rest = [...(uploads.get(uploadId)?.parts ?? [])].filter(([number]) => number > after).sort(([a], [b]) => a - b);
  const page = rest.slice(0, pageSize);
  const items = page.map(
    ([number, { bytes, modifiedAt }]) =>
      `<Part><PartNumber>${number}</PartNumber><LastModified>${modifiedAt.toISOString()}</LastModified>` +
      `<ETag>&quot;${bytes.etag}&quot;</ETag><Size>${bytes.length}</Size></Part>`,
  );
  const next = `<NextPartNumberMarker>${page.at(-1)?.[0] ?? 0}</NextPartNumberMarker>`;
  const isTruncated = page.length < rest.length;
  return `<ListPartsResult>${next}<IsTruncated>${isTruncated}</IsTruncated>${items.join('')}</ListPartsResult>`;
}

/** Copies a range of an object into a part. */
function copiedPart({ headers }: IncomingMessage, searchParams: URLSearchParams, memory: S3Memory): string {
  const key = decodeURIComponent(String(headers['x-amz-copy-source'])).slice(BUCKET.length + 1);
  const range = /^bytes=(\d+)-(\d+)$/.exec(String(headers['x-amz-copy-source-range'])) ?? [];
  const [, start = 0, end = 0] = range.map(Number);
  const number = Number(searchParams.get('partNumber'));
  const part = memory.copyPart(searchParams.get('uploadId') ?? '', number, key, { start, end });
  return `<CopyPartResult><ETag>&quot;${part.etag}&quot;</ETag></CopyPartResult>`;
}

/** Returns whether an operation concerns parts. s3rver rejects these operations as unknown. */
function isOfParts(operation: string): boolean {
  return ['ListParts', 'AbortMultipartUpload', 'UploadPartCopy'].includes(operation);
}
