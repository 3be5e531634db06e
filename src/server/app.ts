import Router from '@koa/router';
import Koa from 'koa';
import type { Callers } from '../access/callers.ts';
import { noKeysInAddresses } from '../access/credentials.ts';
import { allowedHosts } from '../access/allowed-hosts.ts';
import { ownOriginOnly } from '../access/own-origin.ts';
import { deferredMiddleware } from '../deferred/middleware.ts';
import type { DeferredManager } from '../deferred/deferred-manager.ts';
import { accessLog } from '../http/access-log.ts';
import { unmatchedChanges } from '../http/conditional-request.ts';
import { unconsumedBodies } from '../http/consumed-body.ts';
import { crossOrigin } from '../http/cors.ts';
import { methodNotAllowed } from '../http/method-not-allowed.ts';
import { mountedAnswers } from '../http/mount-path.ts';
import { problemResponses } from '../http/problem.ts';
import { requestIds } from '../http/request-scope.ts';
import { parsableTargets } from '../http/request-target.ts';
import { onRequestEnd, requestMetrics } from '../http/request-end.ts';
import { endRequestSpan, requestSpans } from '../http/request-spans.ts';
import type { IsTrustedProxy } from '../http/trusted-proxies.ts';
import { withoutTrailingSlash } from '../http/trailing-slash.ts';
import { unreadBodies } from '../http/unread-body.ts';
import { RESUMABLE_PATH } from '../roads/resumable/resumable-endpoint.ts';
import { TUS_PATH } from '../roads/tus/tus-endpoint.ts';
import type { Logger } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import type { Operators } from '../operators/operators.ts';
import { archiveRoutes, type ArchiveRouteParts } from '../routes/archive-routes.ts';
import { directRoutes, type DirectRouteParts } from '../routes/direct-routes.ts';
import { eventRoutes, type EventRouteParts } from '../routes/event-routes.ts';
import { contentRoutes, variantRoutes, type FileRouteParts } from '../routes/file-routes.ts';
import { limitRoutes, type LimitRouteParts } from '../routes/limit-routes.ts';
import { operatorRoutes } from '../routes/operator-routes.ts';
import { progressRoutes, type ProgressRouteParts } from '../routes/progress-routes.ts';
import { serviceRoutes, type ServiceRouteParts } from '../routes/service-routes.ts';
import { tenantRoutes, type TenantRouteParts } from '../routes/tenant-routes.ts';
import { ticketRoutes } from '../routes/ticket-routes.ts';
import { resumableRoutes, type ResumableRouteParts } from '../routes/resumable-routes.ts';
import { tusRoutes, tusVersion, type TusRouteParts } from '../routes/tus-routes.ts';
import { uploadRoutes, type UploadRouteParts } from '../routes/upload-routes.ts';

type AppParts = UploadRouteParts &
  ProgressRouteParts &
  FileRouteParts &
  EventRouteParts &
  Omit<LimitRouteParts, 'callers'> &
  ArchiveRouteParts &
  TusRouteParts &
  ResumableRouteParts &
  DirectRouteParts &
  Omit<TenantRouteParts, 'callers'> & {
    callers: Callers;
    manager: DeferredManager;
    service: ServiceRouteParts;
    metrics: Metrics;
    log: Logger;
    maxRequestBytes: number;
    /** The address that the server listens on. */
    host: string;
    /** Further host names that are allowed in `Host`. */
    allowedHosts: readonly string[];
    isTrustedProxy: IsTrustedProxy;
    /** Other origins whose pages may send requests. */
    corsOrigins: readonly string[];
    /** Undefined if no OpenTelemetry SDK is registered. */
    tracing: Tracing | undefined;
    /** Undefined if there is no OPERATORS_TOKEN. */
    operators: Operators | undefined;
  };

/** Creates the app. Requests pass the middleware from the first to the last, and answers in reverse order. */
export function createApp(parts: AppParts): Koa {
  const app = new Koa();
  if (parts.mountPath !== '') app.use(mountedAnswers(parts.mountPath));
  app.use(requestIds());
  const { tracing } = parts;
  if (tracing !== undefined) app.use(requestSpans(tracing));
  const endings = [accessLog(parts.log), requestMetrics(parts.metrics)];
  app.use(onRequestEnd(...endings, ...(tracing === undefined ? [] : [endRequestSpan])));
  app.use(unreadBodies(parts.maxRequestBytes));
  app.use(problemResponses(parts.log));
  app.use(parsableTargets());
  app.use(unconsumedBodies());
  app.use(tusVersion());
  app.use(allowedHosts({ host: parts.host, allowed: parts.allowedHosts }));
  // The operators' routes come before CORS, because they allow no other origin.
  if (parts.operators !== undefined) useOperators(app, parts.operators);
  if (parts.corsOrigins.length > 0) app.use(crossOrigin(parts.corsOrigins));
  if (parts.callers.needKeys) app.use(noKeysInAddresses());
  app.use(ownOriginOnly({ ...parts, origins: parts.corsOrigins, isExempt: parts.callers.areProven }));
  app.use(unmatchedChanges());
  app.use(deferredMiddleware(parts.manager));
  app.use(withoutTrailingSlash(['/uploads', TUS_PATH, RESUMABLE_PATH]));
  app.use(createRouter(parts).routes());
  app.use(methodNotAllowed());
  app.on('error', (error: unknown) => parts.log.debug({ err: error }, 'response aborted'));
  return app;
}

function useOperators(app: Koa, operators: Operators): void {
  app.use(operators.guard);
  const router = new Router({ strict: true, sensitive: true });
  router.use(unmatchedChanges());
  operatorRoutes(router, operators);
  app.use(router.routes());
}

function createRouter(parts: AppParts): Router {
  const router = new Router({ strict: true });
  limitRoutes(router, parts);
  uploadRoutes(router, parts);
  tusRoutes(router, parts);
  resumableRoutes(router, parts);
  directRoutes(router, parts);
  ticketRoutes(router, parts);
  tenantRoutes(router, parts);
  progressRoutes(router, parts);
  eventRoutes(router, parts);
  contentRoutes(router, parts);
  variantRoutes(router, parts);
  archiveRoutes(router, parts);
  serviceRoutes(router, parts.service);
  return router;
}
