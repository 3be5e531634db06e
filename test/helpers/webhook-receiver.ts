import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Webhook } from '../../src/wire/documents.ts';
import { listen } from './listen.ts';

/** The secret of the endpoint in the tests. */
export const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

/** A webhook as it arrived. */
export interface Received {
  readonly id: string;
  readonly path: string;
  readonly webhook: Webhook;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly atMs: number;
}

/** An endpoint for webhooks. */
export interface WebhookReceiver {
  readonly url: string;
  readonly received: Received[];
  /** Answers the next requests; the default is 204. */
  answer: (response: ServerResponse, received: Received) => void;
  close(): Promise<void>;
}

/** Starts an endpoint at a free port of 127.0.0.1. */
export async function startReceiver(): Promise<WebhookReceiver> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const webhook = JSON.parse(body) as Webhook;
      const arrived = {
        id: String(request.headers['webhook-id']),
        path: request.url ?? '',
        webhook,
        headers: request.headers,
        body,
        atMs: Date.now(),
      };
      received.push(arrived);
      receiver.answer(response, arrived);
    });
  });
  const receiver: WebhookReceiver = {
    url: `http://127.0.0.1:${await listen(server)}/hooks`,
    received,
    answer: (response) => response.writeHead(204).end(),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return receiver;
}

/** Returns true if the request is signed with the secret. */
export function isSigned({ id, headers, body }: Received, secret = SECRET): boolean {
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
  const content = `${id}.${String(headers['webhook-timestamp'])}.${body}`;
  const signature = `v1,${createHmac('sha256', key).update(content).digest('base64')}`;
  return String(headers['webhook-signature']).split(' ').includes(signature);
}
