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
import { encodeTraceContext, type TraceContext } from './trace-context.ts';
import { uploadRef } from './upload-ref.ts';
import { withoutSecrets } from './without-secrets.ts';

/** Attributes of a span. Those without a value are left out. Never a secret: see `uploadAttribute`. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** What a span is for, as in OpenTelemetry. Default: `internal`. */
export type SpanRole = 'internal' | 'server' | 'client' | 'producer' | 'consumer';

/** How a span begins. */
export interface SpanStart {
  readonly role?: SpanRole;
  readonly attributes?: SpanAttributes;
  /** Milliseconds since 1970. Default: now. */
  readonly startMs?: number;
}

/** One operation in a trace. End each span exactly once. */
export interface Span {
  /** False if no SDK is registered. Then nothing else here has an effect, and its arguments need not be computed. */
  readonly isOn: boolean;
  /** The position of this span, for another process; undefined if it is off. */
  readonly position: TraceContext | undefined;
  /** Begins a span below this one. It may end later than this one. */
  child(name: string, start?: SpanStart): Span;
  rename(name: string): void;
  set(attributes: SpanAttributes): void;
  /** Adds a link to a span of another trace or process. */
  link(to: TraceContext): void;
  /** Runs work in the async context of the span, so that spans of instrumented libraries are placed below it. */
  run<T>(work: () => T): T;
  /** Marks the span as failed. Only the message of the error is written, without secrets. */
  fail(error: unknown): void;
  end(): void;
}

/** Begins spans that have no parent in this process. */
export interface Tracing {
  /** @param parent the position of the parent in another process; undefined begins a new trace. */
  begin(name: string, parent: TraceContext | undefined, start?: SpanStart): Span;
  /**
   * As `begin`, but below the span that an instrumentation of the HTTP server has opened for this request, if there is
   * one. The new span is then internal.
   */
  beginRequest(name: string, parent: TraceContext | undefined, start?: SpanStart): Span;
  /** Has all ended spans exported. Never rejects. */
  flush(): Promise<void>;
}

/** The span of everything while tracing is off. */
export const NO_SPAN: Span = {
  isOn: false,
  position: undefined,
  child: () => NO_SPAN,
  rename: () => undefined,
  set: () => undefined,
  link: () => undefined,
  run: (work) => work(),
  fail: () => undefined,
  end: () => undefined,
};

const KINDS: Readonly<Record<SpanRole, SpanKind>> = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
};

/**
 * Returns undefined unless the application or a module of `--import` has registered an OpenTelemetry SDK in this
 * process. Ask once, when the process is built: later code then compares a variable instead of creating spans.
 */
export function openTracing(): Tracing | undefined {
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

/** Returns the attribute that names an upload in spans, as `uploadRef` does in logs. */
export function uploadAttribute(id: string): SpanAttributes {
  return { 'deferred_uploads.upload': uploadRef(id) };
}

/** Runs work in a span below `parent`. The span ends with the work. */
export async function inSpan<T>(
  parent: Span,
  name: string,
  work: (span: Span) => Promise<T>,
  start?: () => SpanStart,
): Promise<T> {
  if (!parent.isOn) return await work(NO_SPAN);
  const span = parent.child(name, start?.());
  try {
    return await span.run(() => work(span));
  } catch (error) {
    span.fail(error);
    throw error;
  } finally {
    span.end();
  }
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

/** A code is stable, and more precise than the name of the class. */
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

/** Providers of an SDK have `forceFlush`, but the API does not name it. */
async function flush(): Promise<void> {
  const provider = trace.getTracerProvider() as { getDelegate?: () => object };
  const sdk = (provider.getDelegate?.() ?? provider) as { forceFlush?: () => Promise<void> };
  await Promise.resolve(sdk.forceFlush?.()).catch(() => undefined);
}

/** Returns the position of a span as one text, for a record or a job. Undefined while tracing is off. */
export function positionText({ position }: Span): string | undefined {
  return position === undefined ? undefined : encodeTraceContext(position);
}
