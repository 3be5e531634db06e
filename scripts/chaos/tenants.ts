import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newSecret, newTicket } from '../../test/helpers/access-file.ts';
import type { UploadPlan } from './upload-plan.ts';
import type { WebhookSettings } from './webhook-sink.ts';

/**
 * The limit of receiving uploads. It is so low that clients often reach it. An upload of a dead process counts until
 * its silence is over.
 */
export const RECEIVING_LIMIT = 12;

/** The age of a ticket. Some clocks of API processes are late, and the ticket must be valid even for them. */
const ISSUED_SECONDS_AGO = 1200;
const VALID_SECONDS = 6 * 3600;

/** The tenants of a run. */
export const TENANT_NAMES = ['first', 'second'] as const;

/** Two tenants with a quota each. The clients of a run have tickets of one or the other. */
export class ChaosTenants {
  /** Settings of all processes. */
  readonly settings: Readonly<Record<string, string>>;
  readonly #directory: string;
  readonly #secret: string;

  private constructor(directory: string, secret: string, webhooks: WebhookSettings) {
    this.#directory = directory;
    this.#secret = secret;
    this.settings = { ACCESS_FILE: join(directory, 'access.json'), WEBHOOK_ALLOW: webhooks.WEBHOOK_ALLOW };
  }

  /** Writes the access file. The sink receives the webhooks of both tenants. */
  static async create(webhooks: WebhookSettings): Promise<ChaosTenants> {
    const tenants = new ChaosTenants(await mkdtemp(join(tmpdir(), 'du-chaos-')), newSecret(), webhooks);
    await writeFile(tenants.settings['ACCESS_FILE'] ?? '', JSON.stringify(tenants.#file(webhooks)));
    return tenants;
  }

  /** Returns a ticket for one client. A `PUT` can be repeated under its id, so one file is enough for it. */
  async ticketFor({ number, way }: UploadPlan): Promise<string> {
    const tenant = TENANT_NAMES[number % TENANT_NAMES.length] ?? '';
    const iat = Math.floor(Date.now() / 1000) - ISSUED_SECONDS_AGO;
    const upload = { metadata: { number }, ...(way === 'put' ? { maxFiles: 1 } : {}) };
    return await newTicket(`${tenant}-key`, this.#secret, {
      iat,
      exp: iat + VALID_SECONDS,
      jti: `client-${number}`,
      upload,
    });
  }

  async remove(): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true });
  }

  #file({ WEBHOOK_URL: url, WEBHOOK_SECRET: secret }: WebhookSettings): unknown {
    const tenants = TENANT_NAMES.map((name) => [
      name,
      {
        tickets: [{ kid: `${name}-key`, alg: 'HS256', secret: this.#secret }],
        limits: { receiving: RECEIVING_LIMIT },
        webhooks: [{ id: 'main', url, secret }],
      },
    ]);
    return { tenants: Object.fromEntries(tenants) };
  }
}
