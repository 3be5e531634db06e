import type { StoredUpload } from '../../../src/record/open-record.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { tracedStorage } from '../../../src/storage/traced-storage.ts';
import { inSpan, NO_SPAN, positionText, uploadAttribute } from '../../../src/telemetry/tracing.ts';
import { outcomeAttribute, stepSpans } from '../../../workers/attempt-spans.ts';
import type { PipelineHooks } from '../../../workers/pipeline.ts';
import { median } from '../lib/statistics.ts';

const UPLOADS = 20_000;
const ROUNDS = 15;

/** A storage that is never called. Only the cost of wrapping it is measured. */
const storage = {} as Storage;
const stored: StoredUpload = { type: 'text/csv', sizeBytes: 19, sha256: null, options: {} };
const hooks: PipelineHooks = { report: () => undefined };
const id = '2f1c1e8e-6d55-4b0b-9d0a-0d3f4b6a7c11';

/** Returns the processor time that the hooks of tracing cost one upload while it is off, in microseconds. */
export async function hooksUs(): Promise<number> {
  const differences: number[] = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    const [without, withHooks] = [await cpuUs(bareUpload), await cpuUs(hookedUpload)];
    // The first round compiles the code.
    if (round > 0) differences.push((withHooks - without) / UPLOADS);
  }
  return median(differences);
}

async function cpuUs(upload: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  for (let count = 0; count < UPLOADS; count += 1) await upload();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

async function bareUpload(): Promise<unknown> {
  const received = await receive();
  return [await queue(received), await attempt(hooks)];
}

/** Passes the same spans as a real upload: `receive`, `enqueue`, `attempt` and its steps. */
async function hookedUpload(): Promise<unknown> {
  const received = await inSpan(
    NO_SPAN,
    'receive',
    async (span) => {
      tracedStorage(storage, span);
      const result = await receive();
      span.set({ 'deferred_uploads.type': result.type, 'deferred_uploads.size_bytes': result.sizeBytes });
      return result;
    },
    () => ({ attributes: uploadAttribute(id) }),
  );
  const queued = await inSpan(
    NO_SPAN,
    'enqueue',
    async (span) => await queue({ ...received, trace: positionText(span) }),
    () => ({ role: 'producer', attributes: uploadAttribute(id) }),
  );
  const steps = stepSpans(NO_SPAN, hooks);
  const done = await NO_SPAN.run(async () => await attempt(steps.hooks));
  steps.close();
  NO_SPAN.set(outcomeAttribute('done'));
  NO_SPAN.end();
  return [queued, done];
}

async function receive(): Promise<StoredUpload> {
  return stored;
}

async function queue(upload: StoredUpload): Promise<StoredUpload> {
  return upload;
}

async function attempt(given: PipelineHooks): Promise<PipelineHooks> {
  return given;
}
