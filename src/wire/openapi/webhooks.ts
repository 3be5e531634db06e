import { schemaRef } from './components.ts';
import type { Operation, Paths } from './shapes.ts';

const receiveWebhook: Operation = {
  operationId: 'receiveWebhook',
  tags: ['Webhooks'],
  summary: 'An upload is final or was deleted',
  description: `Sent to each endpoint that wants the event, at least once. It is signed by Standard Webhooks: check the
signature before you trust it (docs/webhooks.md). Any status but 2xx and 410 is followed by another try, up to a day
later. Redirects are not followed.`,
  parameters: [
    {
      name: 'webhook-id',
      in: 'header',
      required: true,
      description: '`{upload id}.{version}`, the same for every try and after a restore from the storage.',
      schema: { type: 'string' },
    },
    {
      name: 'webhook-timestamp',
      in: 'header',
      required: true,
      description: 'Time of the try in seconds since 1970.',
      schema: { type: 'string' },
    },
    {
      name: 'webhook-signature',
      in: 'header',
      required: true,
      description:
        '`v1,` and the Base64 of the HMAC-SHA256 of `{webhook-id}.{webhook-timestamp}.{body}`, one for each valid ' +
        'secret, separated by spaces.',
      schema: { type: 'string' },
    },
  ],
  requestBody: {
    description: 'The event.',
    required: true,
    content: { 'application/json': { schema: schemaRef('Webhook') } },
  },
  responses: {
    '204': { description: 'Any 2xx: the webhook is delivered.' },
    '410': { description: 'The endpoint receives nothing more until its settings change.' },
  },
};

/** The member `webhooks` of the document. */
export const WEBHOOKS: Paths = { upload: { post: receiveWebhook } };
