import type Router from '@koa/router';
import type { Context } from 'koa';
import { isFinalState, type Progress } from '../wire/documents.ts';
import { AsyncContext } from '../deferred/async-context.ts';
import { setCommonHeaders } from '../http/common-headers.ts';
import { EventSourceWriter, Heartbeats } from '../http/event-source.ts';
import { queryParameter } from '../http/query.ts';
import { requireUploadId } from '../http/upload-id.ts';
import type { Logger } from '../telemetry/log.ts';
import { lookAgainAfter } from '../record/look-again.ts';
import { toProgress, type ProgressState } from '../record/progress.ts';
import { presentProgress, readExisting, type WatchParts } from '../record/watch.ts';
import { parseVersion } from './versions.ts';

/** What the event streams need. */
export interface EventRouteParts extends WatchParts {
  log: Logger;
}

/** The progress of one upload as Server-Sent Events, over the same records and versions as the polls. */
export function eventRoutes(router: Router, parts: EventRouteParts): void {
  const heartbeats = new Heartbeats();
  router.get('/uploads/:id/events', async (ctx) => {
    const id = requireUploadId(ctx.params['id']);
    const since = seenVersion(ctx);
    if (ctx.method === 'HEAD') {
      await readExisting(parts.records, id);
      ctx.set({ 'Content-Type': 'text/event-stream; charset=utf-8', 'Cache-Control': 'no-store' });
      ctx.status = 200;
      ctx.body = '';
      return;
    }
    const context = AsyncContext.start(ctx, { timeoutMs: 0 });
    const follower = new Follower(parts, ctx, context, id, since);
    const release = parts.registry.register([id], (event) => follower.woken(event));
    let stopHeartbeat: (() => void) | undefined;
    context.addListener({
      onStartAsync: () => {
        if (follower.begin()) stopHeartbeat = heartbeats.add(follower.writer);
      },
      // The service stops: the browser comes again, elsewhere.
      onTimeout: () => context.complete(),
      onComplete: () => {
        release();
        follower.stop();
        stopHeartbeat?.();
      },
    });
    await parts.registry.listening([id]);
    await follower.look();
    if (follower.hasNothingToTell) {
      ctx.set('Cache-Control', 'no-store');
      ctx.status = 204;
      context.complete();
    }
  });
}

/** `Last-Event-ID` is what a browser adds when it comes again, so it is newer than the address it began with. */
function seenVersion(ctx: Context): number | undefined {
  const last = ctx.get('Last-Event-ID');
  if (/^\d{1,15}$/.test(last)) return Number(last);
  const since = queryParameter(ctx, 'since');
  return since === undefined ? undefined : parseVersion(since);
}

/** Follows one record for one reader. */
class Follower {
  readonly writer: EventSourceWriter;
  readonly #parts: EventRouteParts;
  readonly #ctx: Context;
  readonly #id: string;
  readonly #since: number | undefined;
  #toldVersion: number | undefined;
  #newest: Progress | undefined;
  #isBegun = false;
  #isOver = false;
  #again: NodeJS.Timeout | undefined;

  constructor(parts: EventRouteParts, ctx: Context, context: AsyncContext, id: string, since: number | undefined) {
    this.#parts = parts;
    this.#ctx = ctx;
    this.#id = id;
    this.#since = since;
    this.#toldVersion = since;
    this.writer = new EventSourceWriter(ctx.res, () => context.complete());
  }

  /** True when the reader has seen the final version: 204 tells an EventSource to stop. */
  get hasNothingToTell(): boolean {
    return this.#newest !== undefined && this.#newest.final && this.#newest.version === this.#since;
  }

  /** The response is held: the stream may begin. False where it was answered without one. */
  begin(): boolean {
    if (this.hasNothingToTell) return false;
    setCommonHeaders(this.#ctx);
    this.#ctx.respond = false;
    this.writer.begin();
    this.#isBegun = true;
    this.#tell();
    return true;
  }

  woken(event: ProgressState | undefined): void {
    // A place in the queue is known to the record alone, and so is whether an older version is the true one.
    const tellsAll = event !== undefined && event.state !== 'queued' && event.version >= (this.#newest?.version ?? 0);
    if (tellsAll) this.#show(toProgress(event, { nowMs: event.eventAtMs ?? event.updatedAtMs, queuePosition: null }));
    else this.look().catch((error: unknown) => this.#lookAgainAfter(error));
  }

  /** Looks no more by itself. */
  stop(): void {
    this.#isOver = true;
    clearTimeout(this.#again);
  }

  /** Throws `unknown_upload` (404) or `upload_gone` (410). */
  async look(): Promise<void> {
    const before = this.#newest;
    const progress = presentProgress(await readExisting(this.#parts.records, this.#id));
    const wasOvertaken = this.#newest !== before && (this.#newest?.version ?? 0) > progress.version;
    if (!wasOvertaken) this.#show(progress);
  }

  #lookAgainAfter(error: unknown): void {
    this.#parts.log.debug({ err: error, uploadId: this.#id }, 'record not read');
    clearTimeout(this.#again);
    if (!this.#isOver) this.#again = lookAgainAfter(error, () => this.woken(undefined));
  }

  #show(progress: Progress): void {
    this.#newest = progress;
    if (this.#isBegun) this.#tell();
  }

  #tell(): void {
    const progress = this.#newest;
    if (progress === undefined || (progress.version === this.#toldVersion && !progress.final)) return;
    this.#toldVersion = progress.version;
    this.writer.send(
      { id: String(progress.version), event: 'progress', data: JSON.stringify(progress) },
      isFinalState(progress.state),
    );
  }
}
