import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';

const waiting = new WeakMap<IncomingMessage, ServerResponse>();

/**
 * Makes requests with `Expect: 100-continue` (RFC 9110 section 10.1.1) wait for `sendContinue`, so that the service can
 * reject a request by its headers before the body is sent. Without this, Node answers 100 immediately.
 */
export function answerExpectations(server: Server, handle: RequestListener): void {
  server.on('checkContinue', (request, response) => {
    waiting.set(request, response);
    handle(request, response);
  });
}

/** True while the client waits for 100 Continue. */
export function awaitsContinue(request: IncomingMessage): boolean {
  return waiting.has(request);
}

/** Sends 100 Continue if the client waits for it. Call it just before the body is read. */
export function sendContinue(request: IncomingMessage): void {
  waiting.get(request)?.writeContinue();
  waiting.delete(request);
}
