import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { pinnedLookup, untilAborted } from '../../src/http/pinned-lookup.ts';
import { AddressRefusedError, type HostAddress, type PublicAddresses } from '../../src/http/public-address.ts';

/** Time for one try, from the lookup of the host to the headers of the answer. */
export const TRY_LIMIT_MS = 10_000;

/** The body of an answer is read up to these limits and ignored. */
const MOST_BODY_BYTES = 4096;
const BODY_LIMIT_MS = 1_000;

interface WebhookRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** How the request is sent. */
interface PostOptions {
  readonly addresses: Pick<PublicAddresses, 'of'>;
  /** A signal that ends the request early. */
  readonly signal: AbortSignal;
  /** Default `TRY_LIMIT_MS`. */
  readonly limitMs?: number;
}

/** The answer of an endpoint, without its body. */
export interface WebhookAnswer {
  readonly status: number;
  /** The time in `Retry-After`; undefined without one. */
  readonly retryAfterMs: number | undefined;
}

/** There was no answer. The message says why, for operators. */
export class NoAnswerError extends Error {
  constructor(reason: string, cause: unknown) {
    super(reason, { cause });
    this.name = 'NoAnswerError';
  }
}

/**
 * Sends one webhook. The host is resolved once, and the connection goes to one of the addresses that were checked.
 * Redirects are not followed. Throws a `NoAnswerError` if no status arrives.
 */
export async function postWebhook(webhook: WebhookRequest, options: PostOptions): Promise<WebhookAnswer> {
  const { signal, limitMs = TRY_LIMIT_MS } = options;
  const limit = AbortSignal.any([signal, AbortSignal.timeout(limitMs)]);
  try {
    const url = new URL(webhook.url);
    const addresses = await untilAborted(options.addresses.of(url), limit);
    const response = await send(url, webhook, addresses, limit);
    await skipBody(response);
    return { status: response.statusCode ?? 0, retryAfterMs: retryAfterMs(response.headers['retry-after']) };
  } catch (error) {
    throw new NoAnswerError(reasonOf(error, limitMs), error);
  }
}

function send(
  url: URL,
  { headers, body }: WebhookRequest,
  addresses: readonly HostAddress[],
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const options: RequestOptions = {
    method: 'POST',
    headers: { ...headers, 'content-length': Buffer.byteLength(body) },
    // A connection of its own for each try, so that its address was just checked.
    agent: false,
    lookup: pinnedLookup(addresses),
    signal,
  };
  const request = url.protocol === 'https:' ? httpsRequest(url, options) : httpRequest(url, options);
  return new Promise((resolve, reject) => {
    request.on('response', resolve);
    request.on('error', reject);
    request.end(body);
  });
}

/** Reads the body up to the limits, so that a server that sends a short one sees no broken connection. */
async function skipBody(response: IncomingMessage): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, BODY_LIMIT_MS);
    const end = (): void => {
      clearTimeout(timer);
      resolve();
    };
    let bytes = 0;
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > MOST_BODY_BYTES) end();
    });
    response.on('error', end);
    response.on('close', end);
  });
  response.destroy();
}

/**
 * Returns the time in `Retry-After`. Only seconds are read. The other form, a date, depends on the clock of the
 * endpoint.
 */
function retryAfterMs(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,9}$/.test(header) ? Number(header) * 1000 : undefined;
}

function reasonOf(error: unknown, limitMs: number): string {
  if (error instanceof AddressRefusedError) return `address refused: ${error.message}`;
  const { name, code, cause } = error as { name?: string; code?: unknown; cause?: unknown };
  if (name === 'TimeoutError' || (cause as { name?: string } | undefined)?.name === 'TimeoutError')
    return `no answer within ${limitMs / 1000} s`;
  return typeof code === 'string' ? `no answer: ${code}` : 'no answer';
}
