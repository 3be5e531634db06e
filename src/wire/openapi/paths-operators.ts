import type { DeliveryList, FoundUploads, ServiceFigures } from '../documents.ts';
import { parameters } from './parameters.ts';
import { assetAnswers, headers, json, onlyProblems, problems } from './responses.ts';
import type { OpenApiDocument, Operation, Paths } from './shapes.ts';

const TAGS = ['Operators'];

/** The two ways to send the token. */
export const OPERATOR_SECURITY_SCHEMES: OpenApiDocument['components']['securitySchemes'] = {
  operatorBasic: { type: 'http', scheme: 'basic', description: 'The token as password, with any user name.' },
  operatorBearer: { type: 'http', scheme: 'bearer', description: 'The token.' },
};

const security = Object.keys(OPERATOR_SECURITY_SCHEMES).map((name) => ({ [name]: [] }));

const REFUSALS = ['unauthorized', 'too_many_refusals', 'not_found'] as const;

const EACH_MINUTE = Array.from({ length: 60 }, () => 40);

const FIGURES: ServiceFigures = {
  at: '2026-03-14T09:26:53.940Z',
  jobs: { waiting: 3, active: 1, delayed: 0 },
  waiting: { count: 3, byKind: { picture: 3 }, capacity: 5000, oldestMs: 1840 },
  failures: {
    count: 1,
    newest: [
      {
        ref: '1f0c9d2a4b7e',
        name: 'harbour.jpg',
        type: 'image/jpeg',
        size: 3_481_920,
        attempts: 5,
        code: 'processing_failed',
        failedAt: '2026-03-14T09:20:11.020Z',
      },
    ],
  },
  lastHour: { received: EACH_MINUTE, completed: EACH_MINUTE, failed: EACH_MINUTE.map(() => 0) },
  failuresByCode: [
    {
      code: 'unsupported_media_type',
      count: 3,
      examples: [{ ref: '8f0c2d4be1a7', detail: 'This is application/pdf.', at: '2026-03-14T09:26:11.020Z' }],
    },
  ],
  storage: { freeBytes: 84_215_300_096, totalBytes: 107_374_182_400 },
  redis: { usedBytes: 41_320_448, maxBytes: 1_073_741_824 },
  tenants: {
    count: 1,
    listed: [
      {
        name: 'acme',
        weight: 1,
        limits: { waiting: 500, createPerMinute: 600 },
        use: {
          waiting: 3,
          receiving: 1,
          uploadsPerDay: 812,
          bytesPerDay: 2_840_113_920,
          storedBytes: 2_840_113_920,
          createPerMinute: 12,
        },
      },
    ],
  },
  processes: [
    {
      id: 'c1c2a9ce-3f55-4a1e-8d0d-0a6b0c2f9d11',
      role: 'api',
      host: 'app-1',
      pid: 4711,
      version: '0.1.0',
      startedAt: '2026-03-14T08:00:00.000Z',
      held: { '/progress': 212 },
      running: 0,
      pausedBy: null,
      lastMinute: { received: 41, completed: 0, failed: 2 },
      wake: { count: 318, p50Ms: 0.42, p99Ms: 3.1 },
    },
  ],
};

const getOperatorsPage: Operation = {
  operationId: 'getOperatorsPage',
  tags: TAGS,
  summary: 'The page for operators',
  description: 'A live view of the figures below.',
  security,
  responses: { ...assetAnswers('The page', 'text/html', 'string'), ...onlyProblems('internal_error', ...REFUSALS) },
};

const getServiceFigures: Operation = {
  operationId: 'getServiceFigures',
  tags: TAGS,
  summary: 'Figures of the whole service',
  description:
    'Waiting uploads, failed uploads, tenants with their limits and use, and for every process its held responses, ' +
    'running jobs and counts of the last minute.',
  security,
  responses: {
    '200': {
      description: 'The current figures.',
      headers: headers('Cache-Control'),
      content: json('ServiceFigures', { some: { value: FIGURES } }),
    },
    ...problems(...REFUSALS),
  },
};

const FOUND: FoundUploads = {
  uploads: [
    {
      ref: '1f0c9d2a4b7e',
      name: 'harbour.jpg',
      type: 'image/jpeg',
      size: 3_481_920,
      state: 'failed',
      stage: 'decode',
      percent: 42,
      attempts: 1,
      tenant: 'acme',
      error: { code: 'picture_damaged', detail: 'The picture ends too early. Send it again, or send another one.' },
      createdAt: '2026-03-14T09:20:10.020Z',
      updatedAt: '2026-03-14T09:20:11.020Z',
      expiresAt: '2026-03-15T09:20:11.020Z',
    },
  ],
  isComplete: true,
};

const findUploads: Operation = {
  operationId: 'findUploads',
  tags: TAGS,
  summary: 'Find uploads by id, hash or name',
  description:
    'Finds the upload with this id, uploads whose hash begins so (as in the field `upload` of the logs), and uploads ' +
    'with this text in their name. The answer contains no ids.',
  parameters: [
    {
      name: 'q',
      in: 'query',
      required: true,
      description: 'The id, 4 to 12 hex digits of the hash, or a part of the name. Case does not matter for names.',
      schema: { type: 'string', minLength: 3, maxLength: 300 },
      example: 'harbour',
    },
  ],
  security,
  responses: {
    '200': {
      description: 'The uploads.',
      headers: headers('Cache-Control'),
      content: json('FoundUploads', { one: { value: FOUND } }),
    },
    ...problems(...REFUSALS, 'bad_request'),
  },
};

const retryUpload: Operation = {
  operationId: 'retryUpload',
  tags: TAGS,
  summary: 'Retry a failed upload',
  description: `Queues a failed upload again if its file may be sound: after \`processing_failed\`, a timeout or a crash
of the reader. The \`ref\` of the figures may stand in place of the id. The state becomes \`queued\`, with a new
version, so clients that wait for the upload are notified.`,
  parameters: parameters('Id'),
  security,
  responses: {
    '204': { description: 'The upload is queued.' },
    ...problems(...REFUSALS, 'foreign_origin', 'bad_upload_id', 'unknown_upload', 'upload_gone', 'not_retryable'),
  },
};

const DELIVERIES: DeliveryList = {
  count: 1,
  pending: 3,
  oldestPendingMs: 4210,
  deliveries: [
    {
      id: 'default.main.8f0c2d4be1a7.9',
      upload: '8f0c2d4be1a7',
      type: 'upload.completed',
      tenant: 'default',
      endpoint: 'main',
      state: 'failed',
      tries: 9,
      reason: 'status 500',
      createdAt: '2026-03-13T11:20:11.020Z',
      failedAt: '2026-03-14T09:20:11.020Z',
    },
  ],
};

const listDeliveries: Operation = {
  operationId: 'listDeliveries',
  tags: TAGS,
  summary: 'Webhooks that are not delivered',
  description: 'The newest failed webhooks, or the oldest pending ones, at most 50.',
  parameters: [
    {
      name: 'state',
      in: 'query',
      description: '`failed` (default): the last try failed. `pending`: not delivered yet.',
      schema: { type: 'string', enum: ['failed', 'pending'] },
    },
  ],
  security,
  responses: {
    '200': {
      description: 'The webhooks.',
      headers: headers('Cache-Control'),
      content: json('DeliveryList', { some: { value: DELIVERIES } }),
    },
    ...problems(...REFUSALS, 'bad_request'),
  },
};

const replayDelivery: Operation = {
  operationId: 'replayDelivery',
  tags: TAGS,
  summary: 'Send a failed webhook again',
  description: 'Sends the webhook with the same `webhook-id` and body, with all tries again.',
  parameters: [
    {
      name: 'id',
      in: 'path',
      required: true,
      description: 'Id of the delivery. A `webhook-id` is also accepted.',
      schema: { type: 'string' },
      example: DELIVERIES.deliveries[0]?.id,
    },
  ],
  security,
  responses: {
    '204': { description: 'The webhook is pending.' },
    ...problems(...REFUSALS, 'foreign_origin', 'unknown_delivery'),
  },
};

/** Operations for operators. */
export const OPERATOR_PATHS: Paths = {
  '/operators': { get: getOperatorsPage },
  '/operators/figures': { get: getServiceFigures },
  '/operators/deliveries': { get: listDeliveries },
  '/operators/deliveries/{id}/replay': { post: replayDelivery },
  '/operators/uploads': { get: findUploads },
  '/operators/uploads/{id}/retry': { post: retryUpload },
};
