import { headers, json, onlyProblems } from './responses.ts';
import type { Operation, Paths } from './shapes.ts';

const TAGS = ['Service'];

const FIGURES = '# HELP deferred_held Responses held now.\n# TYPE deferred_held gauge\ndeferred_held 12\n';

const getHealth: Operation = {
  operationId: 'getHealth',
  tags: TAGS,
  summary: 'Is the process alive?',
  description: 'Asks nobody else: restart the process where this does not answer.',
  responses: {
    '200': { description: 'It is.', content: json('ServiceStatus', { alive: { value: { status: 'ok' } } }) },
    ...onlyProblems('internal_error'),
  },
};

const getReadiness: Operation = {
  operationId: 'getReadiness',
  tags: TAGS,
  summary: 'Can the process take uploads?',
  description:
    '`workers` is how many worker processes are alive; without one uploads are taken and wait. ' +
    'Asks Redis and the storage: send no requests here while this is a 503, and do not restart the process for it. A full queue does not show here: it is the ' +
    'same for all processes, and what is no new upload is answered as ever. A process that was told to stop says `shutting_down` here, and serves on for `SHUTDOWN_DELAY_MS`.',
  responses: {
    '200': {
      description: 'It can.',
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
    'Requests, held answers and how they ended, waiters, bodies being received, the queue (its capacity, how much waits, how fast it drains, ' +
    'jobs by state, uploads refused and discarded), and those of Node itself. ' +
    'The queue is left out while Redis is away.',
  responses: {
    '200': {
      description: "Prometheus' text format.",
      headers: headers('Cache-Control'),
      content: { 'text/plain': { schema: { type: 'string' }, examples: { some: { value: FIGURES } } } },
    },
    ...onlyProblems('internal_error'),
  },
};

const getOpenApi: Operation = {
  operationId: 'getOpenApi',
  tags: TAGS,
  summary: 'This document',
  description: 'OpenAPI 3.1. Its version is that of the service.',
  responses: {
    '200': {
      description: 'The document.',
      headers: headers('ETag'),
      content: { 'application/json': { schema: { type: 'object' } } },
    },
    '304': { description: 'The document is the one that `If-None-Match` names.', headers: headers('ETag') },
    ...onlyProblems('internal_error'),
  },
};

const getPage: Operation = {
  operationId: 'getPage',
  tags: TAGS,
  summary: 'The page for browsers',
  description:
    'Sends files and shows their progress. Its style and scripts lie beside it and are named by the page alone.',
  responses: {
    '200': {
      description: 'The page.',
      headers: headers('ETag'),
      content: { 'text/html': { schema: { type: 'string' } } },
    },
    '304': { description: 'The page is the one that `If-None-Match` names.', headers: headers('ETag') },
    ...onlyProblems('internal_error'),
  },
};

/** What operators and browsers ask of the process itself. */
export const SERVICE_PATHS: Paths = {
  '/healthz': { get: getHealth },
  '/readyz': { get: getReadiness },
  '/metrics': { get: getMetrics },
  '/openapi.json': { get: getOpenApi },
  '/': { get: getPage },
};
