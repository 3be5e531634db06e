import { Readable } from 'node:stream';
import type Router from '@koa/router';
import type { Context } from 'koa';
import { isFinalState, type Progress } from '../wire/documents.ts';
import { AsyncContext } from '../deferred/async-context.ts';
import { setCommonHeaders } from '../http/common-headers.ts';
import type { ClientAddress } from '../http/client-address.ts';
import { EVENT_STREAM_HEADERS, EventSourceWriter, Heartbeats } from '../http/event-source.ts';
import { mountedDocument } from '../http/mount-path.ts';
import { requestedTimeoutMs } from '../http/deferral.ts';
import { queryParameter, requireUploadId, parseVersion } from '../http/parameters.ts';
import { StreamPlaces } from '../http/stream-places.ts';
import { toProgress, type ProgressState } from '../record/progress.ts';
import type { ReadProgress } from '../record/read-record.ts';
import { RecordSubscription, type RecordObserver } from '../record/record-subscription.ts';
import { awaitsBeginning, readAwaitedProgress, readExistingProgress, unknownUpload } from '../record/read-existing.ts';
import { fromEvent, isWhole, type ProgressWatchParts } from '../record/watch.ts';

/** The parts that the event streams need. */
export interface EventRouteParts extends ProgressWatchParts {
  /** A stream ends after ten times this time. */
  maxTimeoutMs: number;
  /** How long a stream waits for an upload that has not begun, if the client does not say. */
  defaultTimeoutMs: number;
  /** The address that a stream counts for. */
  addressOf: ClientAddress;
  /** The path of the service, with which every link begins. */
  mountPath: string;
}

/**
 * A stream ends after this many times `maxTimeoutMs`. An `EventSource` reconnects on its own, and a stream that nobody
 * reads does not stay open.
 */
const WAITS_PER_STREAM = 10;

/** Streams are shortened by up to this share, so that streams that began together do not reconnect together. */
const JITTER = 0.1;

/** Adds the route that sends the progress of one upload as Server-Sent Events, with the same versions as the polls. */
export function eventRoutes(router: Router, parts: EventRouteParts): void {
  const heartbeats = new Heartbeats();
  const places = new StreamPlaces();
  router.get('/uploads/:id/events', async (ctx) => {
    const id = requireUploadId(ctx.params['id']);
    const since = seenVersion(ctx);
    const waitMs = awaitsBeginning([since])
      ? (requestedTimeoutMs(ctx, parts.maxTimeoutMs) ?? parts.defaultTimeoutMs)
      : 0;
    if (ctx.method === 'HEAD') {
      await readExistingProgress(parts.records, id);
      ctx.set(EVENT_STREAM_HEADERS);
      ctx.status = 200;
      // RFC 9110 section 8.6: no Content-Length, because GET has none. An empty string would have one.
      ctx.body = Readable.from([]);
      return;
    }
    const context = AsyncContext.start(ctx, {
      timeoutMs: parts.maxTimeoutMs * WAITS_PER_STREAM * (1 - JITTER * Math.random()),
    });
    const leave = places.enter(parts.addressOf(ctx.req), id);
    const follower = new Follower(parts, ctx, context, { id, since, heartbeats });
    const subscription = new RecordSubscription(parts.registry, follower);
    let beginTimer: NodeJS.Timeout | undefined;
    context.addListener({
      onStartAsync: () => {
        follower.held();
        if (!follower.isBegun) beginTimer = setTimeout(() => void follower.stopWaiting(), waitMs);
      },
      // The time is up or the service stops. The browser reconnects, perhaps to another process.
      onTimeout: () => follower.end(),
      onComplete: () => {
        leave();
        subscription.close();
        clearTimeout(beginTimer);
        follower.release();
      },
    });
    await subscription.open();
    if (follower.hasNothingToSend) {
      ctx.set('Cache-Control', 'no-store');
      ctx.status = 204;
      context.complete();
    }
  });
}

/**
 * Returns the version that the client has seen. A reconnecting browser adds `Last-Event-ID`, which is newer than
 * `since` in the address. Some libraries send it as `lastEventId` in the query instead, because that needs no
 * preflight.
 */
function seenVersion(ctx: Context): number | undefined {
  for (const last of [ctx.get('Last-Event-ID'), [queryParameter(ctx, 'lastEventId') ?? []].flat().at(-1) ?? ''])
    if (/^\d{1,15}$/.test(last)) return Number(last);
  const since = queryParameter(ctx, 'since');
  return since === undefined ? undefined : parseVersion(since);
}

/** Sends the changes of one record to one client. */
class Follower implements RecordObserver {
  readonly ids: readonly [string];
  readonly #writer: EventSourceWriter;
  readonly #heartbeats: Heartbeats;
  readonly #records: EventRouteParts['records'];
  readonly #mountPath: string;
  readonly #ctx: Context;
  readonly #context: AsyncContext;
  readonly #since: number | undefined;
  #sentVersion: number | undefined;
  #newest: Progress | undefined;
  #isHeld = false;
  #hasRead = false;
  #stopHeartbeat: (() => void) | undefined;

  constructor(
    { records, mountPath }: EventRouteParts,
    ctx: Context,
    context: AsyncContext,
    { id, since, heartbeats }: { id: string; since: number | undefined; heartbeats: Heartbeats },
  ) {
    this.ids = [id];
    this.#records = records;
    this.#mountPath = mountPath;
    this.#ctx = ctx;
    this.#context = context;
    this.#since = since;
    this.#sentVersion = since;
    this.#writer = new EventSourceWriter(ctx.res, () => context.complete());
    this.#heartbeats = heartbeats;
  }

  get isDone(): boolean {
    return !this.#context.isStarted;
  }

  /** True if the client has seen the final version. The answer is 204 then, which stops an `EventSource`. */
  get hasNothingToSend(): boolean {
    return this.#newest !== undefined && this.#newest.final && this.#newest.version === this.#since;
  }

  /** True if the head of the stream is sent. */
  get isBegun(): boolean {
    return this.#stopHeartbeat !== undefined;
  }

  /** Call it when the response is held. The stream begins, unless the upload has not begun. */
  held(): void {
    this.#isHeld = true;
    this.#send();
  }

  /** Answers 404 if the upload has not begun. Its first event may be lost, so it reads the record again. */
  async stopWaiting(): Promise<void> {
    try {
      await this.read();
      if (!this.isBegun) this.end();
    } catch (error) {
      this.#context.result.setErrorResult(error);
    }
  }

  /** Ends the stream, or answers 404 if the upload has not begun. */
  end(): void {
    const [id] = this.ids;
    if (this.#newest === undefined) this.#context.result.setErrorResult(unknownUpload(id));
    else this.#context.complete();
  }

  /** Stops the heartbeat. Safe to call twice. */
  release(): void {
    this.#stopHeartbeat?.();
  }

  changed(event: ProgressState): boolean {
    if (!isWhole(event, this.#newest?.version ?? 0)) return false;
    const { state, ...reading } = fromEvent(event);
    this.#show(toProgress(state, reading));
    return true;
  }

  /**
   * The first read throws `upload_gone` (410), and `unknown_upload` (404) unless the client waits for the beginning.
   * Later a tombstone counts as the last state and ends the stream.
   */
  async read(): Promise<void> {
    const before = this.#newest;
    const [id] = this.ids;
    const read = await (this.#hasRead ? this.#records.readProgress(id) : this.#readFirst(id));
    this.#hasRead = true;
    // The upload has not begun, or Redis has lost the record. A stored upload is restored; otherwise the stream ends
    // with its timeout.
    if (read === undefined) return;
    const progress = toProgress(read.state, { nowMs: read.nowMs, queuePosition: read.queuePosition });
    const isOutdated = this.#newest !== before && (this.#newest?.version ?? 0) > progress.version;
    if (!isOutdated) this.#show(progress);
  }

  async #readFirst(id: string): Promise<ReadProgress | undefined> {
    return await (awaitsBeginning([this.#since]) ? readAwaitedProgress : readExistingProgress)(this.#records, id);
  }

  #show(progress: Progress): void {
    this.#newest = progress;
    this.#send();
  }

  #begin(): void {
    setCommonHeaders(this.#ctx);
    this.#ctx.respond = false;
    this.#writer.begin();
    this.#stopHeartbeat = this.#heartbeats.add(this.#writer);
  }

  #send(): void {
    const progress = this.#newest;
    if (!this.#isHeld || progress === undefined) return;
    if (!this.isBegun) {
      if (this.hasNothingToSend) return;
      this.#begin();
    }
    if (progress.version === this.#sentVersion && !progress.final) return;
    this.#sentVersion = progress.version;
    const data = JSON.stringify(mountedDocument(this.#mountPath, progress));
    this.#writer.send({ id: String(progress.version), event: 'progress', data }, isFinalState(progress.state));
  }
}
