import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { ServiceError } from '../../errors.ts';
import { pinnedLookup, untilAborted } from '../../http/pinned-lookup.ts';
import { VERSION } from '../../version.ts';
import { asRefusal, importUrl, type ImportAddresses } from './import-url.ts';

/** Maximum number of redirects. */
const MOST_REDIRECTS = 5;

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** A file that a server has begun to send. Read it to its end, or destroy the body. */
export interface ImportSource {
  body: IncomingMessage;
  /** Null if the server does not say. */
  totalBytes: number | null;
}

/** The limits with which a file is fetched. */
interface FetchLimits {
  addresses: ImportAddresses;
  /** A server that sends nothing for this time is given up. */
  stallMs: number;
  signal: AbortSignal;
}

/**
 * Sends the request for a file and follows redirects. Each host is resolved once, and the connection goes to one of the
 * addresses that were checked. Nothing of the environment is sent: no credentials, no cookies, and no proxy is used.
 * Throws `import_refused` (400) for an address that is not allowed, `import_failed` (422) if the server does not send
 * the file, and the reason of the signal.
 */
export async function openSource(address: string, limits: FetchLimits): Promise<ImportSource> {
  let url = importUrl(address);
  for (let redirects = 0; ; redirects += 1) {
    const response = await answerOf(url, limits);
    const { statusCode: status = 0, headers } = response;
    if (!REDIRECTS.has(status)) return toSource(response, status);
    response.destroy();
    if (redirects === MOST_REDIRECTS)
      throw new ServiceError('import_refused', `More than ${MOST_REDIRECTS} redirects. Send the address of the file.`);
    if (headers.location === undefined) throw failed('The server redirects without an address.');
    url = importUrl(headers.location, url);
  }
}

/**
 * Returns the bytes of a file. Throws `import_failed` (422) if they stop for `stallMs` or end too early. The time in
 * which the reader does not ask for bytes does not count.
 */
export async function* chunksOf({ body, totalBytes }: ImportSource, stallMs: number): AsyncGenerator<Buffer> {
  const chunks = (body as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  let bytes = 0;
  try {
    for (;;) {
      const timer = setTimeout(() => body.destroy(stalled(stallMs)), stallMs);
      const next = await chunks.next().finally(() => clearTimeout(timer));
      if (next.done === true) break;
      bytes += next.value.length;
      yield next.value;
    }
  } catch (error) {
    throw error instanceof ServiceError ? error : failed('The server broke off the file.', error);
  } finally {
    body.destroy();
  }
  if (totalBytes !== null && bytes !== totalBytes) throw failed('The server sent fewer bytes than it announced.');
}

async function answerOf(url: URL, { addresses, stallMs, signal }: FetchLimits): Promise<IncomingMessage> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(stallMs)]);
  try {
    const allowed = await untilAborted(addresses.of(url), limit);
    return await send(url, pinnedLookup(allowed), limit, signal);
  } catch (error) {
    signal.throwIfAborted();
    throw asRefusal(error) ?? failed(reasonOf(error, limit.aborted, stallMs), error);
  }
}

function send(
  url: URL,
  lookup: NonNullable<RequestOptions['lookup']>,
  limit: AbortSignal,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const options: RequestOptions = {
    headers: { accept: '*/*', 'accept-encoding': 'identity', 'user-agent': `deferred-uploads/${VERSION}` },
    // A new connection goes to the address that was just checked.
    agent: false,
    lookup,
    signal,
  };
  const request = url.protocol === 'https:' ? httpsRequest(url, options) : httpRequest(url, options);
  const onLimit = (): void => void request.destroy(new Error('no answer in time'));
  limit.addEventListener('abort', onLimit, { once: true });
  return new Promise<IncomingMessage>((resolve, reject) => {
    request.on('response', resolve);
    request.on('error', reject);
    request.end();
  }).finally(() => limit.removeEventListener('abort', onLimit));
}

function toSource(body: IncomingMessage, status: number): ImportSource {
  const { 'content-length': length, 'content-encoding': encoding = 'identity' } = body.headers;
  const fault =
    status !== 200
      ? `The server answered ${status}.`
      : encoding.toLowerCase() !== 'identity'
        ? 'The server sends the file compressed, although it was asked not to.'
        : undefined;
  if (fault === undefined) return { body, totalBytes: length === undefined ? null : Number(length) };
  body.destroy();
  throw failed(fault);
}

function reasonOf(error: unknown, isLate: boolean, stallMs: number): string {
  if (isLate) return `The server did not answer within ${stallMs} ms.`;
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'The host of the address is not known.';
  return code === undefined ? 'The server did not answer.' : `The server did not answer: ${code}.`;
}

function stalled(stallMs: number): ServiceError {
  return failed(`The server sent no bytes for ${stallMs} ms.`);
}

function failed(detail: string, cause?: unknown): ServiceError {
  return new ServiceError('import_failed', `${detail} Check the address and import the file again.`, { cause });
}
