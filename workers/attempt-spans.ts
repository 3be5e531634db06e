import type { UploadRecord } from '../src/record/record-fields.ts';
import { tracedStorage } from '../src/storage/traced-storage.ts';
import { decodeTraceContext } from '../src/telemetry/trace-context.ts';
import { NO_SPAN, uploadAttribute, type Span, type SpanAttributes } from '../src/telemetry/tracing.ts';
import type { RunnerParts, RunOutcome } from './attempt.ts';
import type { PipelineHooks } from './pipeline.ts';

/**
 * Opens the span of an attempt, in the trace of the request that queued the upload. The time in the queue has a span of
 * its own, which began at `waitedSinceMs` by Redis' clock. Returns `NO_SPAN` while tracing is off.
 */
export function beginAttemptSpan(
  { tracing }: Pick<RunnerParts, 'tracing'>,
  record: UploadRecord,
  waitedSinceMs: number | undefined,
): Span {
  if (tracing === undefined) return NO_SPAN;
  const parent = decodeTraceContext(record.trace);
  const attributes = { ...uploadAttribute(record.id), 'deferred_uploads.attempt': record.attempt };
  if (waitedSinceMs !== undefined) {
    // Spans have the clock of this machine, so only the duration is taken from the clock of Redis.
    const startMs = Date.now() - Math.max(0, record.phaseStartedAtMs - waitedSinceMs);
    tracing.begin('queue wait', parent, { attributes, startMs }).end();
  }
  return tracing.begin('attempt', parent, {
    role: 'consumer',
    attributes: {
      ...attributes,
      'deferred_uploads.type': record.type ?? undefined,
      'deferred_uploads.request_id': record.requestId ?? undefined,
    },
  });
}

/** Returns the same parts, but each call of their storage gets a span below that of the attempt. */
export function tracedParts(parts: RunnerParts, span: Span): RunnerParts {
  return span.isOn ? { ...parts, storage: tracedStorage(parts.storage, span) } : parts;
}

/** Returns the outcome of an attempt as an attribute of its span. A pause before the next attempt becomes `retry`. */
export function outcomeAttribute(outcome: RunOutcome): SpanAttributes {
  return { 'deferred_uploads.outcome': typeof outcome === 'object' ? 'retry' : outcome };
}

interface StepSpans {
  /** Hooks that also begin and end spans. */
  readonly hooks: PipelineHooks;
  /** Ends the span of a step that has not ended, as failed. Call it when the run has failed. */
  failed(error: unknown): void;
  /** Ends the span of a step that has not ended. Call it when the run has ended. */
  close(): void;
}

/**
 * Adds a span below that of the attempt for each step. A new stage ends the step before it, because a process of its
 * own may report only the stages.
 */
export function stepSpans(attempt: Span, hooks: PipelineHooks): StepSpans {
  if (!attempt.isOn) return { hooks, failed: () => undefined, close: () => undefined };
  let current: { stage: string; span: Span } | undefined;
  const end = (): void => {
    current?.span.end();
    current = undefined;
  };
  const traced: PipelineHooks = {
    ...hooks,
    report(report) {
      const { stage } = report;
      if (stage !== current?.stage) {
        end();
        current = { stage, span: attempt.child(`step ${stage}`) };
      }
      hooks.report(report);
    },
    stepEnded(stage, durationMs) {
      if (stage === current?.stage) end();
      hooks.stepEnded?.(stage, durationMs);
    },
  };
  return {
    hooks: traced,
    failed(error) {
      current?.span.fail(error);
      end();
    },
    close: end,
  };
}
