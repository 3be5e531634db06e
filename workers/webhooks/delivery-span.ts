import type { DeliveryJobData } from '../../src/delivery/delivery-queue.ts';
import type { WebhookEndpoint } from '../../src/delivery/webhook-endpoint.ts';
import { decodeTraceContext, traceparentOf } from '../../src/telemetry/trace-context.ts';
import { NO_SPAN, type Span, type Tracing } from '../../src/telemetry/tracing.ts';
import { uploadRefIn } from '../../src/telemetry/upload-ref.ts';

/**
 * Opens the span of one try, in the trace of the request that queued the upload. Only the host of the endpoint is
 * recorded, because a URL may contain a secret.
 */
export function beginDeliverySpan(
  tracing: Tracing | undefined,
  { id, type, trace }: DeliveryJobData,
  endpoint: WebhookEndpoint,
  tries: number,
): Span {
  if (tracing === undefined) return NO_SPAN;
  return tracing.begin('webhook', decodeTraceContext(trace), {
    role: 'client',
    attributes: {
      'http.request.method': 'POST',
      'http.request.resend_count': tries === 0 ? undefined : tries,
      'server.address': new URL(endpoint.url).hostname,
      'deferred_uploads.upload': uploadRefIn(id),
      'deferred_uploads.webhook.type': type,
      'deferred_uploads.webhook.endpoint': endpoint.id,
    },
  });
}

/** Returns the headers by which the endpoint can join the trace. None while tracing is off. */
export function traceHeaders({ position }: Span): Record<string, string> {
  if (position === undefined) return {};
  const { state } = position;
  return { traceparent: traceparentOf(position), ...(state === undefined ? {} : { tracestate: state }) };
}
