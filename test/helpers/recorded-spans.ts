import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { uploadRef } from '../../src/telemetry/upload-ref.ts';
import { eventually } from './eventually.ts';

/** One ended span, as `test/fixtures/tracing/record-spans.mjs` writes it. */
export interface RecordedSpan {
  readonly pid: number;
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string | null;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  readonly status: { readonly code: number };
  /** Ids of the traces that it has links to. */
  readonly linked: readonly string[];
}

/** Records the spans of processes of the service. */
export interface SpanRecorder {
  /** Variables that make a process record its spans. */
  readonly env: Readonly<Record<string, string>>;
  spans(): RecordedSpan[];
  /** Everything that was recorded, as text. */
  text(): string;
  remove(): void;
}

/** Opens a recorder with a file of its own. */
export function openSpanRecorder(): SpanRecorder {
  const directory = mkdtempSync(join(tmpdir(), 'du-spans-'));
  const path = join(directory, 'spans.jsonl');
  writeFileSync(path, '');
  const module = pathToFileURL(resolve('test/fixtures/tracing/record-spans.mjs')).href;
  const text = (): string => readFileSync(path, 'utf8');
  return {
    env: { NODE_OPTIONS: `--import ${module}`, TEST_SPANS: path },
    text,
    // The last line may not be complete yet.
    spans: () =>
      text()
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as RecordedSpan),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** Returns the names of the spans directly below the first request of a route for an upload, sorted. */
export async function spansBelowRequest(recorder: SpanRecorder, route: string, id: string): Promise<string[]> {
  return await eventually(`the span of ${route}`, () => {
    const spans = recorder.spans();
    const own = spans.filter(({ attributes }) => attributes['deferred_uploads.upload'] === uploadRef(id));
    const parents = new Set(own.map(({ parentId }) => parentId));
    const request = spans.find(({ name, spanId }) => name === route && parents.has(spanId));
    const below = own.filter(({ parentId }) => parentId === request?.spanId).map(({ name }) => name);
    return request !== undefined && [...new Set(below)].sort();
  });
}
