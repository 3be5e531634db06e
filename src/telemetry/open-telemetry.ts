import {
  context,
  createTraceState,
  ProxyTracer,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Context,
  type Link,
  type Span as ApiSpan,
  type SpanContext,
  type Tracer,
} from '@opentelemetry/api';
import { VERSION } from '../version.ts';
import type { TraceContext } from './trace-context.ts';
import type { Span, SpanAttributes, SpanRole, SpanStart, Tracing } from './tracing.ts';
import { withoutSecrets } from './without-secrets.ts';

const KINDS: Readonly<Record<SpanRole, SpanKind>> = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
};

/** Returns undefined unless an SDK with a tracer is registered in this process. */
export function openTelemetry(): Tracing | undefined {
  const tracer = trace.getTracer('deferred-uploads', VERSION);
  // The API returns this placeholder while no SDK is registered.
  if (tracer instanceof ProxyTracer) return undefined;
  return {
    begin: (name, parent, start) => beginSpan(tracer, name, contextOf(parent), start),
    beginRequest(name, parent, start = {}) {
      const active = context.active();
      if (trace.getSpan(active) === undefined) return beginSpan(tracer, name, contextOf(parent), start);
      return beginSpan(tracer, name, active, { ...start, role: 'internal' });
    },
    flush,
  };
}

function beginSpan(tracer: Tracer, name: string, parent: Context, { role, attributes, startMs }: SpanStart = {}): Span {
  const span = tracer.startSpan(
    name,
    {
      kind: KINDS[role ?? 'internal'],
      attributes: { ...attributes },
      ...(startMs === undefined ? {} : { startTime: startMs }),
    },
    parent,
  );
  return new SdkSpan(tracer, span, trace.setSpan(parent, span));
}

class SdkSpan implements Span {
  readonly isOn = true;
  readonly #tracer: Tracer;
  readonly #span: ApiSpan;
  readonly #context: Context;

  constructor(tracer: Tracer, span: ApiSpan, spanContext: Context) {
    this.#tracer = tracer;
    this.#span = span;
    this.#context = spanContext;
  }

  get position(): TraceContext {
    const { traceId, spanId, traceFlags, traceState } = this.#span.spanContext();
    const isSampled = (traceFlags & TraceFlags.SAMPLED) === TraceFlags.SAMPLED;
    return { traceId, spanId, isSampled, state: traceState?.serialize() || undefined };
  }

  child(name: string, start?: SpanStart): Span {
    return beginSpan(this.#tracer, name, this.#context, start);
  }

  rename(name: string): void {
    this.#span.updateName(name);
  }

  set(attributes: SpanAttributes): void {
    this.#span.setAttributes({ ...attributes });
  }

  link(to: TraceContext): void {
    this.#span.addLink(linkTo(to));
  }

  run<T>(work: () => T): T {
    return context.with(this.#context, work);
  }

  fail(error: unknown): void {
    const message = error instanceof Error ? { message: withoutSecrets(error.message) } : {};
    this.#span.setStatus({ code: SpanStatusCode.ERROR, ...message });
    this.#span.setAttribute('error.type', typeOf(error));
  }

  end(): void {
    this.#span.end();
  }
}

/** Returns the code of an error, which is stable and more precise than the name of its class. */
function typeOf(error: unknown): string {
  const { code, name } = (typeof error === 'object' && error !== null ? error : {}) as {
    code?: unknown;
    name?: unknown;
  };
  if (typeof code === 'string') return code;
  return typeof name === 'string' ? name : '_OTHER';
}

function linkTo(to: TraceContext): Link {
  return { context: spanContextOf(to) };
}

function contextOf(parent: TraceContext | undefined): Context {
  return parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, spanContextOf(parent));
}

function spanContextOf({ traceId, spanId, isSampled, state }: TraceContext): SpanContext {
  return {
    traceId,
    spanId,
    traceFlags: isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
    isRemote: true,
    ...(state === undefined ? {} : { traceState: createTraceState(state) }),
  };
}

/** Calls `forceFlush`, which providers of an SDK have although the API does not name it. */
async function flush(): Promise<void> {
  const provider = trace.getTracerProvider() as { getDelegate?: () => object };
  const sdk = (provider.getDelegate?.() ?? provider) as { forceFlush?: () => Promise<void> };
  await Promise.resolve(sdk.forceFlush?.()).catch(() => undefined);
}
