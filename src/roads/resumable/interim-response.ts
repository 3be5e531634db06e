import type { IncomingMessage, ServerResponse } from 'node:http';
import { INTEROP_VERSION } from './upload-fields.ts';

/**
 * Sends `104 Upload Resumption Supported` with the address of the upload, so that its client can continue after a
 * broken connection. Node has no call for it. Does nothing if the client has not sent the same version of the draft, if
 * the response has begun, or if an earlier response of the connection is still being sent: `socket` is null then.
 */
export function sendResumptionSupported(
  request: IncomingMessage,
  response: ServerResponse,
  fields: Readonly<Record<string, string>>,
): void {
  const { socket, headersSent } = response;
  const isSameDraft = request.headers['upload-draft-interop-version'] === INTEROP_VERSION;
  if (!isSameDraft || request.httpVersion !== '1.1' || headersSent || socket === null || socket.destroyed) return;
  const lines = Object.entries({ 'Upload-Draft-Interop-Version': INTEROP_VERSION, ...fields });
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  socket.write(`HTTP/1.1 104 Upload Resumption Supported\r\n${head}\r\n`, 'latin1');
}
