import Router from '@koa/router';
import { describe, expect, test } from '@jest/globals';
import type Koa from 'koa';
import { pino } from 'pino';
import { Callers } from '../../../../src/access/callers.ts';
import { Tenants } from '../../../../src/access/tenants.ts';
import { createApp } from '../../../../src/server/app.ts';
import { DeferredManager } from '../../../../src/deferred/deferred-manager.ts';
import { Registry } from '../../../../src/deferred/registry.ts';
import { Transfers } from '../../../../src/http/transfers.ts';
import { createKinds } from '../../../../src/kinds/kinds.ts';
import { Metrics } from '../../../../src/telemetry/metrics.ts';
import { openApiDocument } from '../../../../src/wire/openapi/document.ts';
import type { ProgressState } from '../../../../src/record/progress.ts';
import { UploadRecords } from '../../../../src/record/record.ts';
import { queueKeys } from '../../../../src/queue/contract.ts';
import { LocalStorage } from '../../../../src/storage/local-storage.ts';
import { Admission } from '../../../../src/intake/admission.ts';
import { UploadIntake } from '../../../../src/intake/intake.ts';
import { UploadRemoval } from '../../../../src/intake/removal.ts';
import { METRIC_READINGS } from '../../../helpers/metric-readings.ts';

/** The routes of the page. Its files may change, so only `/` is named. */
const PAGE = {
  files: new Map([
    ['/', { bodies: { br: Buffer.of(), gzip: Buffer.of(), identity: Buffer.of() }, type: 'text/html', tag: '0' }],
  ]),
  contentSecurityPolicy: '',
};

const OPERATORS_PAGE = { ...PAGE, files: new Map([...PAGE.files].map(([, asset]) => ['/operators', asset])) };

async function nobody(): Promise<never> {
  throw new Error('no request is made here');
}

/** The service has keys, because open mode has no tickets. */
const tenants = await Tenants.from({ tenants: {} });

/** Makes the service without any part behind its routes. */
function emptyApp(): Koa {
  const log = pino({ level: 'silent' });
  const store = { runScript: nobody, readHash: nobody, readFieldsOf: nobody, ranksIn: nobody, get: nobody };
  const records = new UploadRecords(store, queueKeys('test'), { retentionMs: 1000 });
  const storage = new LocalStorage('/nowhere');
  const bounds = { capacity: 1, overflow: 'reject', capacityPerAddress: 0 } as const;
  const admission = new Admission({ bounds, backlog: { read: nobody }, onRejected: nobody, onDiscarded: nobody });
  const parts = {
    records,
    storage,
    kinds: createKinds(),
    queue: { add: nobody },
    admission,
    listen: () => () => undefined,
    transfers: new Transfers(),
    log,
  };
  const limits = {
    maxFileBytes: 1,
    maxRequestBytes: 1,
    maxFiles: 1,
    maxFields: 1,
    maxFieldBytes: 1,
    maxOpen: 1,
    maxOpenPerAddress: 1,
  };
  const metrics = new Metrics(METRIC_READINGS);
  return createApp({
    ...parts,
    metrics,
    registry: new Registry<ProgressState>({ onFault: nobody }),
    manager: new DeferredManager({ reportFault: nobody }),
    intake: new UploadIntake(parts, { ...limits, stallTimeoutMs: 1, minBytesPerS: 0 }),
    roadsOf: () => ({
      removal: new UploadRemoval(parts),
      tus: { handle: nobody },
      resumable: undefined,
      direct: {
        requireBucket: (): never => {
          throw new Error('nobody sends requests to this app');
        },
        create: nobody,
        sign: nobody,
        stored: nobody,
        complete: nobody,
      },
    }),
    maxArchiveBytes: 1,
    imports: { create: nobody },
    limits: { maxFileBytes: 1, maxRequestBytes: 1, maxFilesPerRequest: 1, types: [], retentionMs: 1, direct: false },
    defaultTimeoutMs: 1000,
    maxTimeoutMs: 1000,
    maxRequestBytes: 1,
    addressOf: () => '',
    host: '127.0.0.1',
    allowedHosts: [],
    isTrustedProxy: () => false,
    corsOrigins: [],
    callers: new Callers({ tenants }, Date.now),
    tenantUploads: { list: nobody },
    readUse: nobody,
    mountPath: '',
    tracing: undefined,
    operators: {
      guard: nobody,
      readFigures: nobody,
      find: nobody,
      retry: nobody,
      retryListed: nobody,
      listDeliveries: nobody,
      replay: nobody,
      assets: OPERATORS_PAGE,
    },
    service: { countWorkers: async () => 0, checkReady: nobody, metrics, openApi: () => ({}), assets: PAGE },
  });
}

function registeredRoutes(): string[] {
  const routers = emptyApp().middleware.flatMap((middleware) =>
    'router' in middleware && middleware.router instanceof Router ? [middleware.router] : [],
  );
  const layers = routers.flatMap((router) => router.stack);
  // HEAD comes with every GET.
  const named = (methods: readonly string[]) =>
    methods.filter((method) => method !== 'HEAD' || !methods.includes('GET'));
  return layers.flatMap(({ methods, path }) => named(methods).map((method) => `${method} ${String(path)}`)).sort();
}

function documentedRoutes(): string[] {
  return Object.entries(openApiDocument().paths)
    .flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`),
    )
    .sort();
}

describe('the routes of the service', () => {
  test('are the same as in the OpenAPI document', () => {
    expect(registeredRoutes().length).toBeGreaterThan(10);
    expect(documentedRoutes()).toEqual(registeredRoutes());
  });
});
