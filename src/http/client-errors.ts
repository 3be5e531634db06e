import { STATUS_CODES, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { problemOf, statusOf, type ErrorCode } from '../errors.ts';
import { closeLingering, lingerOnClose } from '../compat/lingering-close.ts';

/** Errors of Node's parser. Any other one is `bad_request`. */
const CODES: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  HPE_HEADER_OVERFLOW: [
    'headers_too_large',
    'The headers of this request are too large. Send fewer or shorter headers.',
  ],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [
    'request_too_large',
    'The chunk extensions of this body are too large. Send chunks without extensions.',
  ],
  HPE_INVALID_EOF_STATE: ['body_cut_short', 'The connection ended before the request was complete. Send it again.'],
  ERR_HTTP_REQUEST_TIMEOUT: ['request_timeout', 'The headers of this request did not arrive in time. Send it again.'],
};

/**
 * Answers malformed requests with a problem document instead of Node's bare status line. If a complete request is still
 * being answered, its answer is sent first: the malformed bytes after it are not part of it.
 */
export function answerClientErrors(server: Server): void {
  const answering = new WeakMap<Duplex, Exchange>();
  const spoiled = new WeakSet<Duplex>();
  server.on('request', (request, response) => answering.set(request.socket, { request, response }));
  server.on('clientError', (error: Error & { code?: string }, socket) => {
    // Each further byte causes an error too. Only the first one is answered.
    if (spoiled.has(socket) && error.code !== 'ECONNRESET') return;
    spoiled.add(socket);
    endMalformed(socket, error, answering.get(socket));
  });
  server.on('connect', (_request, socket) =>
    closeLingering(
      socket,
      rawProblem(
        'bad_request',
        'This server is not a proxy and does not support CONNECT. Send the request to an address of the API.',
      ),
    ),
  );
  server.on('checkExpectation', (request, response: ServerResponse) => {
    const body = JSON.stringify(
      problemOf(
        'expectation_failed',
        'This server supports only Expect: 100-continue. Send the request without another expectation.',
      ),
    );
    lingerOnClose(request.socket);
    const headers = {
      'Content-Type': 'application/problem+json',
      'Content-Length': Buffer.byteLength(body),
      Connection: 'close',
    };
    response.writeHead(statusOf('expectation_failed'), headers).end(body);
  });
}

interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
}

function endMalformed(socket: Duplex, error: Error & { code?: string }, current: Exchange | undefined): void {
  const isUnderWay = current !== undefined && !current.response.writableFinished && !current.response.destroyed;
  if (isUnderWay && current.request.complete && socket.writable) {
    lingerOnClose(current.request.socket);
    if (!current.response.headersSent) current.response.setHeader('Connection', 'close');
    current.response.once('close', () => closeLingering(socket));
    return;
  }
  if (!socket.writable || error.code === 'ECONNRESET' || (isUnderWay && current.response.headersSent)) {
    socket.destroy(error);
    return;
  }
  const [code, detail] = CODES[error.code ?? ''] ?? [
    'bad_request',
    'This is not a well-formed HTTP request. Send it again as HTTP/1.1.',
  ];
  closeLingering(socket, rawProblem(code, detail));
}

function rawProblem(code: ErrorCode, detail: string): string {
  const body = JSON.stringify(problemOf(code, detail));
  const status = statusOf(code);
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Cache-Control: no-store',
    'Connection: close',
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}
