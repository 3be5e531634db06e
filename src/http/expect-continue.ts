import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';

const waiting = new WeakMap<IncomingMessage, ServerResponse>();

/**
 * Lets requests with `Expect: 100-continue` (RFC 9110 section 10.1.1) wait for `sendContinue`: a refusal
 * that the headers allow for then comes before the body is sent. Node would tell them to go on at once.
 */
export function answerExpectations(server: Server, handle: RequestListener): void {
  server.on('checkContinue', (request, response) => {
    waiting.set(request, response);
    handle(request, response);
  });
}

/** True while the sender waits to be told to go on. */
export function awaitsContinue(request: IncomingMessage): boolean {
  return waiting.has(request);
}

/** Tells the sender to go on, where it asked; to be called when its body is about to be read. */
export function sendContinue(request: IncomingMessage): void {
  waiting.get(request)?.writeContinue();
  waiting.delete(request);
}
