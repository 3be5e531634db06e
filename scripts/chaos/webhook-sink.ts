import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { listen } from '../../test/helpers/listen.ts';
import { isFinalState, type Webhook } from '../../src/wire/documents.ts';

/** The settings with which all processes send webhooks to the sink. */
export type WebhookSettings = Readonly<Record<'WEBHOOK_URL' | 'WEBHOOK_SECRET' | 'WEBHOOK_ALLOW', string>>;

/** One of this many webhooks is refused at its first try, by a status or by a closed connection. */
const REFUSED_ONE_OF = 16;

/** An endpoint that keeps the ids of the webhooks that it has accepted. */
export class WebhookSink {
  /** Ids of accepted webhooks: `<upload id>.<version>`. */
  readonly accepted = new Set<string>();
  readonly offences: string[] = [];
  readonly #tried = new Set<string>();
  readonly #server = createServer((request, response) => {
    const id = String(request.headers['webhook-id']);
    text(request).then(
      (body) => {
        const refusal = this.#tried.has(id) ? undefined : refusalOf(id);
        this.#tried.add(id);
        if (refusal === 'close') request.socket.destroy();
        else if (refusal === 'status') response.writeHead(500).end();
        else {
          this.#accept(id, body);
          response.writeHead(204).end();
        }
      },
      () => undefined,
    );
  });
  #deliveries = 0;

  /** The number of accepted requests. A webhook that was delivered twice counts twice. */
  get deliveries(): number {
    return this.#deliveries;
  }

  /** Starts to listen. */
  async open(): Promise<WebhookSettings> {
    const port = await listen(this.#server);
    return {
      WEBHOOK_URL: `http://127.0.0.1:${port}/`,
      WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 1).toString('base64')}`,
      WEBHOOK_ALLOW: '127.0.0.1',
    };
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #accept(id: string, body: string): void {
    this.#deliveries += 1;
    this.accepted.add(id);
    const { type, data } = JSON.parse(body) as Webhook;
    const isAsItsId = id === `${data.id}.${data.version}` && isFinalState(data.state);
    if (!isAsItsId) this.offences.push(`${id} has ${type}, ${data.state}, version ${data.version}`);
  }
}

function refusalOf(id: string): 'close' | 'status' | undefined {
  const byte = createHash('sha256').update(id).digest()[0] ?? 0;
  if (byte % REFUSED_ONE_OF !== 0) return undefined;
  return byte % (2 * REFUSED_ONE_OF) === 0 ? 'close' : 'status';
}
