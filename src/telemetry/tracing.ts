import { encodeTraceContext, type TraceContext } from './trace-context.ts';
import { uploadRef } from './upload-ref.ts';

/** Attributes of a span. Those without a value are left out. They contain no secret: see `uploadAttribute`. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** The purpose of a span, as in OpenTelemetry. Default: `internal`. */
export type SpanRole = 'internal' | 'server' | 'client' | 'producer' | 'consumer';

/** The parameters with which a span begins. */
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
   * Like `begin`, but below the span that an instrumentation of the HTTP server has opened for this request, if there
   * is one. The new span is then internal.
   */
  beginRequest(name: string, parent: TraceContext | undefined, start?: SpanStart): Span;
  /** Exports all ended spans. Never rejects. */
  flush(): Promise<void>;
}

/** Stands for every span while tracing is off. */
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

/** Returns the position of a span as one text, for a record or a job. Undefined while tracing is off. */
export function positionText({ position }: Span): string | undefined {
  return position === undefined ? undefined : encodeTraceContext(position);
}
