import { context, ROOT_CONTEXT, SpanKind, trace, type Context, type ContextManager } from '@opentelemetry/api';
import { afterEach, describe, expect, test } from '@jest/globals';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { createHash } from 'node:crypto';
import { ServiceError } from '../../../src/errors.ts';
import { parseTraceContext } from '../../../src/telemetry/trace-context.ts';
import { openTracing } from '../../../src/telemetry/open-tracing.ts';
import { inSpan, NO_SPAN, positionText, uploadAttribute, type Tracing } from '../../../src/telemetry/tracing.ts';

const CLIENT = parseTraceContext('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', 'vendor=1');

afterEach(() => {
  trace.disable();
  context.disable();
});

/** Registers an SDK, as a module of `--import` does. */
async function register(): Promise<{ exporter: InMemorySpanExporter; tracing: Tracing }> {
  const exporter = new InMemorySpanExporter();
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
  const tracing = await openTracing();
  if (tracing === undefined) throw new Error('tracing is off');
  return { exporter, tracing };
}

/** Makes a context manager for calls that do not wait. */
function nestedCalls(): ContextManager {
  let current: Context = ROOT_CONTEXT;
  const manager: ContextManager = {
    active: () => current,
    with(inner, work, thisArgument, ...rest) {
      const outer = current;
      current = inner;
      try {
        return Reflect.apply(work, thisArgument, rest) as ReturnType<typeof work>;
      } finally {
        current = outer;
      }
    },
    bind: (_, target) => target,
    enable: () => manager,
    disable: () => manager,
  };
  return manager;
}

describe('tracing without an SDK', () => {
  test('is off', async () => {
    expect(await openTracing()).toBeUndefined();
  });

  test('runs work without a span, and computes no attributes', async () => {
    const start = (): never => {
      throw new Error('computed');
    };
    expect(await inSpan(NO_SPAN, 'work', async (span) => span, start)).toBe(NO_SPAN);
    expect([positionText(NO_SPAN), NO_SPAN.child('more')]).toEqual([undefined, NO_SPAN]);
  });
});

describe('tracing with an SDK', () => {
  test('continues the trace of a client, with its tracestate', async () => {
    const { exporter, tracing } = await register();
    const span = tracing.begin('request', CLIENT, { role: 'server', attributes: { a: 1, b: undefined } });
    expect(positionText(span)).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-01 vendor=1$/);
    span.end();
    const [ended] = exporter.getFinishedSpans();
    expect(ended?.parentSpanContext?.spanId).toBe(CLIENT?.spanId);
    expect(ended?.attributes).toEqual({ a: 1 });
  });

  test('begins a new trace without a position', async () => {
    const { exporter, tracing } = await register();
    tracing.begin('request', undefined).end();
    expect(exporter.getFinishedSpans()[0]?.parentSpanContext).toBeUndefined();
  });

  test('keeps the decision of a client not to record a trace', async () => {
    const { exporter, tracing } = await register();
    const notSampled = parseTraceContext('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00');
    const span = tracing.begin('request', notSampled);
    expect(positionText(span.child('receive'))).toMatch(/-00$/);
    span.end();
    expect(exporter.getFinishedSpans()).toEqual([]);
  });

  test('marks failed work with the code of its error, without secrets', async () => {
    const { exporter, tracing } = await register();
    const parent = tracing.begin('request', undefined);
    const id = '2f1c1e8e-6d55-4b0b-9d0a-0d3f4b6a7c11';
    const fail = inSpan(parent, 'receive', () => Promise.reject(new ServiceError('empty_file', `no bytes in ${id}`)));
    await expect(fail).rejects.toThrow('no bytes');
    const [{ status, attributes, events } = {}] = exporter.getFinishedSpans();
    expect([status, attributes, events]).toEqual([
      { code: 2, message: 'no bytes in :id' },
      { 'error.type': 'empty_file' },
      [],
    ]);
  });

  test('places a request below the span of an instrumented HTTP server, not in the trace of its header', async () => {
    const { exporter, tracing } = await register();
    context.setGlobalContextManager(nestedCalls());
    const server = tracing.begin('GET', undefined, { role: 'server' });
    server.run(() => tracing.beginRequest('GET /uploads/:id', CLIENT, { role: 'server' }).end());
    tracing.beginRequest('GET /uploads/:id', CLIENT, { role: 'server' }).end();
    const [inside, outside] = exporter.getFinishedSpans();
    expect([inside?.parentSpanContext?.spanId, inside?.kind]).toEqual([server.position?.spanId, SpanKind.INTERNAL]);
    expect([outside?.parentSpanContext?.spanId, outside?.kind]).toEqual([CLIENT?.spanId, SpanKind.SERVER]);
  });

  test('names an upload by the reference that logs use', () => {
    const id = '2f1c1e8e-6d55-4b0b-9d0a-0d3f4b6a7c11';
    const ref = createHash('sha256').update(id).digest('hex').slice(0, 12);
    expect(uploadAttribute(id)).toEqual({ 'deferred_uploads.upload': ref });
  });

  test('does not reject if the SDK cannot export', async () => {
    trace.setGlobalTracerProvider(
      Object.assign(new BasicTracerProvider(), { forceFlush: () => Promise.reject(new Error('no collector')) }),
    );
    await expect((await openTracing())?.flush()).resolves.toBeUndefined();
  });
});
