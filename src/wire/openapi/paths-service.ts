import { assetAnswers, headers, json, onlyProblems } from './responses.ts';
import type { Operation, Paths } from './shapes.ts';

const TAGS = ['Service'];

const FIGURES = [
  '# HELP deferred_uploads_held Responses that are held now, by route.',
  '# TYPE deferred_uploads_held gauge',
  'deferred_uploads_held{route="/uploads/:id/progress"} 12',
  '',
].join('\n');

const getHealth: Operation = {
  operationId: 'getHealth',
  tags: TAGS,
  summary: 'Is the process alive?',
  description: 'Checks only this process. Restart the process if this does not answer.',
  responses: {
    '200': {
      description: 'The process is alive.',
      content: json('ServiceStatus', { alive: { value: { status: 'ok' } } }),
    },
    ...onlyProblems('internal_error'),
  },
};

const getReadiness: Operation = {
  operationId: 'getReadiness',
  tags: TAGS,
  summary: 'Can the process take uploads?',
  description:
    'Checks Redis and the storage. Send no requests to this process while the answer is a 503, but do not ' +
    'restart it. ' +
    '`workers` is the number of living worker processes; without one, uploads are accepted and wait. A full ' +
    'queue is not ' +
    'shown here: it is the same for all processes, and all other requests still work. After SIGTERM the answer is ' +
    '`shutting_down`, and the process continues to serve for `SHUTDOWN_DELAY_MS`. If there is a management address, ' +
    'only that address shows the reason of a 503, and the others show `workers` only if it is 0.',
  responses: {
    '200': {
      description: 'The process can take uploads.',
      headers: headers('Cache-Control'),
      content: json('ServiceStatus', { ready: { value: { status: 'ready', workers: 2 } } }),
    },
    ...onlyProblems('internal_error', 'service_unavailable', 'storage_unavailable', 'shutting_down'),
  },
};

const getMetrics: Operation = {
  operationId: 'getMetrics',
  tags: TAGS,
  summary: 'Figures of this process',
  description:
    'Requests, held responses and how they ended, waiters, bodies being received, uploads by outcome and code, the ' +
    'queue, workers, Redis, the storage, the version, and metrics of Node. The queue is left out while Redis is not ' +
    'available. If there is a management address, only that address has the figures.',
  responses: {
    '200': {
      description: 'The text format of Prometheus.',
      headers: headers('Cache-Control'),
      content: { 'text/plain': { schema: { type: 'string' }, examples: { some: { value: FIGURES } } } },
    },
    ...onlyProblems('internal_error', 'not_found'),
  },
};

const getOpenApi: Operation = {
  operationId: 'getOpenApi',
  tags: TAGS,
  summary: 'This document',
  description:
    'OpenAPI 3.1, with the version of the service. If there is a management address, only that address has it.',
  responses: {
    ...assetAnswers('The document', 'application/json', 'object'),
    ...onlyProblems('internal_error', 'not_found'),
  },
};

const getPage: Operation = {
  operationId: 'getPage',
  tags: TAGS,
  summary: 'The page for browsers',
  description: 'Sends files and shows their progress. Only the page refers to its style sheet and scripts.',
  responses: { ...assetAnswers('The page', 'text/html', 'string'), ...onlyProblems('internal_error') },
};

/** Operations on the process, and the page. */
export const SERVICE_PATHS: Paths = {
  '/healthz': { get: getHealth },
  '/readyz': { get: getReadiness },
  '/metrics': { get: getMetrics },
  '/openapi.json': { get: getOpenApi },
  '/': { get: getPage },
};
