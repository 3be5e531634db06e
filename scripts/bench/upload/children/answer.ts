import type { ServerResponse } from 'node:http';

/** An answer with a body of its length, which is all that the sender reads of it. */
export function answer(response: ServerResponse, status: number, body: unknown): void {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': bytes.length });
  response.end(bytes);
}

/** The answer to a request that failed: the benchmark ends with it. */
export function answerFailure(response: ServerResponse, error: unknown): void {
  answer(response, 500, { error: error instanceof Error ? error.message : String(error) });
}
