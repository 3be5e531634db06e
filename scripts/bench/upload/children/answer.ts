import type { ServerResponse } from 'node:http';

/** Sends an answer with a Content-Length, which is all that the sender reads. */
export function answer(response: ServerResponse, status: number, body: unknown): void {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': bytes.length });
  response.end(bytes);
}

/** Sends the answer to a failed request, which ends the benchmark. */
export function answerFailure(response: ServerResponse, error: unknown): void {
  answer(response, 500, { error: error instanceof Error ? error.message : String(error) });
}
