import { trace } from '@opentelemetry/api';
import { afterEach, describe, expect, test } from '@jest/globals';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { createHash } from 'node:crypto';
import { ServiceError } from '../../../src/errors.ts';
import { parseTraceContext } from '../../../src/telemetry/trace-context.ts';
import { inSpan, NO_SPAN, openTracing, positionText, uploadAttribute } from '../../../src/telemetry/tracing.ts';

const CLIENT = parseTraceContext('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', 'vendor=1');

afterEach(() => trace.disable());

/** Registers an SDK, as a module of `--import` does. */
function register(): InMemorySpanExporter {
  const exporter = new InMemorySpanExporter();
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
  return exporter;
}

describe('tracing without an SDK', () => {
  test('is off', () => {
    expect(openTracing()).toBeUndefined();
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
  test('continues the trace of a client, with its tracestate', () => {
    const exporter = register();
    const span = openTracing()?.begin('request', CLIENT, { role: 'server', attributes: { a: 1, b: undefined } });
    expect(positionText(span ?? NO_SPAN)).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-01 vendor=1$/);
    span?.end();
    const [ended] = exporter.getFinishedSpans();
    expect(ended?.parentSpanContext?.spanId).toBe(CLIENT?.spanId);
    expect(ended?.attributes).toEqual({ a: 1 });
  });

  test('begins a new trace without a position', () => {
    const exporter = register();
    openTracing()?.begin('request', undefined).end();
    expect(exporter.getFinishedSpans()[0]?.parentSpanContext).toBeUndefined();
  });

  test('keeps the decision of a client not to record a trace', () => {
    const exporter = register();
    const notSampled = parseTraceContext('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00');
    const span = openTracing()?.begin('request', notSampled) ?? NO_SPAN;
    expect(positionText(span.child('receive'))).toMatch(/-00$/);
    span.end();
    expect(exporter.getFinishedSpans()).toEqual([]);
  });

  test('marks failed work with the code of its error, without secrets', async () => {
    const exporter = register();
    const parent = openTracing()?.begin('request', undefined) ?? NO_SPAN;
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

  test('names an upload by the reference that logs use', () => {
    const id = '2f1c1e8e-6d55-4b0b-9d0a-0d3f4b6a7c11';
    const ref = createHash('sha256').update(id).digest('hex').slice(0, 12);
    expect(uploadAttribute(id)).toEqual({ 'deferred_uploads.upload': ref });
  });

  test('does not reject if the SDK cannot export', async () => {
    trace.setGlobalTracerProvider(
      Object.assign(new BasicTracerProvider(), { forceFlush: () => Promise.reject(new Error('no collector')) }),
    );
    await expect(openTracing()?.flush()).resolves.toBeUndefined();
  });
});
