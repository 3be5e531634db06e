import { createHmac } from 'node:crypto';

const SECRET_PREFIX = 'whsec_';

/** The signed parts of a webhook. The body is the exact text that is sent. */
interface SignedMessage {
  readonly id: string;
  readonly body: string;
}

/**
 * Returns the headers of Standard Webhooks. Each secret adds a signature, so a receiver accepts the old and the new
 * secret while one is replaced. The time is that of the try, so that a receiver can reject old requests.
 */
export function signatureHeaders(
  { id, body }: SignedMessage,
  secrets: readonly string[],
  nowMs: number,
): Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string> {
  const timestamp = String(Math.floor(nowMs / 1000));
  const signatures = secrets.map((secret) => `v1,${sign(`${id}.${timestamp}.${body}`, secret)}`);
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') };
}

function sign(content: string, secret: string): string {
  const key = Buffer.from(secret.slice(SECRET_PREFIX.length), 'base64');
  return createHmac('sha256', key).update(content).digest('base64');
}
