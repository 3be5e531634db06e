/*
 * Types of the browser client, the module at /client.js of every deferred-uploads service.
 * Made by `npm run generate` from the sources; changes belong there.
 */

/** All options are optional. */
export interface UploadClientOptions extends Partial<Tuning> {
    /** Address of the service, such as `https://uploads.example`. Default: the origin of the page. Required outside browsers. */
    baseUrl?: string;
    fetch?: typeof globalThis.fetch;
    /** Called with false if progress requests fail, and with true when they succeed again. */
    onConnection?: (connected: boolean) => void;
}

/** Limits and times of the client. The defaults are made for a web page. */
export interface Tuning {
    /** Files that are sent at the same time. Default 3, because a browser opens at most six connections to a server. */
    sendAtOnce: number;
    /** Files larger than this are sent in parts, so that a break or a pause loses no data. Default 33554432 (32 MiB). */
    resumableAboveBytes: number;
    /** Size of a part. Default 16777216 (16 MiB). Lower it for proxies that limit request bodies. */
    partBytes: number;
    /** Pause between two progress requests. Default 250. */
    gapMs: number;
    /** Time for which the server is asked to hold a progress request. Default 25000. */
    holdMs: number;
    /** Pause between two progress requests if a proxy does not let held answers through. Default 2000. */
    pollMs: number;
    /** The first pause after a failure. It doubles with each further failure. Default 500. */
    firstRetryMs: number;
    /** The longest pause after a failure. Default 30000. */
    longestRetryMs: number;
    /** A request is given up after this time since its first failure. Default 600000. */
    giveUpAfterMs: number;
}

/** Listeners of one upload, called in the order of events. */
export interface FollowOptions {
    /** Called with every progress, including the final one. Must not throw. */
    onProgress?: (progress: Progress) => void;
    /** Must not throw. */
    onPhase?: (phase: UploadPhase) => void;
}

/** How far an upload has come. */
export interface Progress {
    id: string;
    state: UploadState;
    /** Grows with every change of the upload. Give back the last one seen as `since`, and no change is missed. */
    version: number;
    /** Never goes down within an upload; 100 only when `state` is `completed`. */
    percent: number;
    /** `receive`, `queue`, `inspect`, a step of the processor, or `done`. New steps may come: show them, do not switch on them. */
    stage: string;
    bytes: {
        /** Bytes. */
        received: number;
        /** Null where the sender did not say. */
        total: number | null;
    };
    /** Counts the workers that have taken the upload up; a retry shows here and takes no percent back. */
    attempt: number;
    /** 1 is next; null unless queued. Computed when read, so it moves without a new version. */
    queuePosition: number | null;
    /** Milliseconds to the end of the present phase; null until it can be estimated. Computed when read. */
    etaMs: number | null;
    /** UTC. */
    updatedAt: string;
    /** Nothing changes any more: stop polling. */
    final: boolean;
    /** True where the time to hold the answer was up before what was asked for had come: ask again. */
    timedOut: boolean;
    links: Links;
}

/** The last four are final. `discarded`: the queue was full, and this upload, the oldest that waited, was removed. */
export type UploadState = 'receiving' | 'queued' | 'processing' | 'completed' | 'failed' | 'cancelled' | 'discarded';

/** Where to go next: absolute paths at this same host. */
export interface Links {
    self: string;
    progress: string;
    result: string;
    events: string;
    cancel: string;
    /** Followed by `/{name}`, each picture made of the upload. The one link that may be shown to others. */
    variants: string;
    /** There once the bytes are stored. */
    content?: string;
}

/**
 * The phase of an upload on the client; its `Progress` describes the server's side. `waiting`: not started, because other
 * files are sent first. `sending`. `retrying` after an error. `paused` by `pause()`. `following`: the server has all
 * bytes and the client waits for the result. `over`.
 */
export type UploadPhase = 'waiting' | 'sending' | 'retrying' | 'paused' | 'following' | 'over';

/** Options of one upload. */
export interface UploadOptions extends FollowOptions {
    /** File name. Default: the name of the `File`, or `file` for a plain `Blob`. */
    name?: string;
    /** Options of the processor, as in the API reference. */
    options?: object;
    /** Aborting it cancels the upload, as `cancel()` does. */
    signal?: AbortSignal;
    /** A UUID version 4. An interrupted upload resumes if it gets its old id, also after a reload of the page. */
    id?: string;
    /** True to start only after `resume()`. */
    paused?: boolean;
}

/** One upload of the client. */
export interface UploadHandle {
    readonly id: string;
    readonly phase: UploadPhase;
    /** Can be iterated more than once. Ends when the upload is over, with or without success. */
    readonly progress: AsyncIterable<Progress>;
    /** Rejects with an UploadError unless the upload is `completed`. An unhandled rejection is not reported. */
    readonly result: Promise<Upload>;
    /** Cancels the upload unless it is final. Resolves when the server has confirmed, or after `giveUpAfterMs`. Never rejects. */
    cancel(): Promise<void>;
    /**
     * Stops sending, so that the next file starts. After `resume` a file that is sent in parts continues, and a smaller
     * file starts again from the first byte. Returns false and does nothing if the server already has all bytes.
     */
    pause(): boolean;
    /** Continues a paused upload after those that already wait. Returns false if it is not paused. */
    resume(): boolean;
}

/** One file sent by a client, from its first byte to its result. */
export interface Upload {
    id: string;
    state: UploadState;
    /** Grows with every change of the upload. Give back the last one seen as `since`, and no change is missed. */
    version: number;
    file: {
        /** As sent, without a path and without what cannot be shown. */
        name: string;
        /** What the bytes are, whatever the sender claimed; null until enough of them came. */
        type: string | null;
        /** Bytes. */
        size: number;
        /** Null until stored; where workers take it, null until completed. */
        sha256: string | null;
    };
    progress: Progress;
    /** Null unless completed. */
    result: Result | null;
    /** Null unless failed. */
    error: Problem | null;
    /** UTC. */
    createdAt: string;
    /** UTC. */
    updatedAt: string;
    /** When the upload and its files are removed; null until it is final. */
    expiresAt: string | null;
    /** Reads variants and nothing else, so it may be shown to others; `id` may not. */
    publicId: string;
    links: Links;
}

/** What processing made of an upload; `kind` tells which processor. Kinds may be added. */
export type Result = PictureResult | TableResult;

/** What a processed picture turned out to be. */
export interface PictureResult {
    kind: 'picture';
    format: string;
    /** Pixels as a person sees it, after the EXIF orientation. */
    width: number;
    /** Pixels as a person sees it, after the EXIF orientation. */
    height: number;
    /** 1 for a still picture. */
    frames: number;
    hasAlpha: boolean;
    colourSpace: string;
    /** The EXIF orientation as found; 1 where the file has none. */
    orientation: number;
    /** The camera's own clock, with an offset where the file has one; null where it says nothing. */
    takenAt: string | null;
    /** Make and model as one line; null where the file says nothing. */
    camera: string | null;
    /** Make and model as one line; null where the file says nothing. */
    lens: string | null;
    /** Null where the file says nothing. */
    exposure: Exposure | null;
    /** There only where the options asked for it; null where the file says nothing. */
    gps?: Position | null;
    dominantColour: string;
    /** A [thumbhash](https://evanw.github.io/thumbhash/): about 25 bytes to show until a variant has come. */
    thumbhash: string;
    /** 64 bits in hex. If at most about 10 bits differ, two pictures are copies of each other, perhaps resized or encoded again. */
    perceptualHash: string;
    /** Largest first. */
    variants: Variant[];
}

/** How a picture was exposed; each member null where the file does not say. */
export interface Exposure {
    timeMs: number | null;
    fNumber: number | null;
    iso: number | null;
    /** Of the lens itself, not of its like on 35 mm film. */
    focalLengthMm: number | null;
}

/** In degrees of WGS 84, south and west negative; metres above the sea, null where the file does not say. */
export interface Position {
    latitude: number;
    longitude: number;
    altitudeM: number | null;
}

/** A picture made of the uploaded one. It carries no GPS position, and no other EXIF but what `keepMetadata` asked for. */
export interface Variant {
    name: string;
    format: string;
    /** Pixels. */
    width: number;
    /** Pixels. */
    height: number;
    /** Bytes. */
    size: number;
    url: string;
}

/** What a processed table turned out to be. */
export interface TableResult {
    kind: 'table';
    format: 'csv' | 'tsv' | 'xlsx';
    /** A name of the Encoding Standard, such as `utf-8`; null for a workbook. */
    encoding: string | null;
    /** 1 if the encoding is marked, given or proved by all bytes; less if it was guessed. Null for a workbook. */
    encodingCertainty: number | null;
    /** Null for a workbook. */
    delimiter: string | null;
    /** Name of the sheet; null for a text. */
    sheet: string | null;
    hasHeader: boolean;
    columns: TableColumn[];
    /** Rows that were taken, without the header. */
    rowCount: number;
    /** At most 20; long texts are cut. */
    firstRows: ((string | number | boolean | null)[])[];
    /** The first 100 of `errorCount`. */
    errors: RowError[];
    /** Rows that were left out. */
    errorCount: number;
    /** Rows that are not in `jsonLines`: faulty ones, and those above the header. */
    rowsSkipped: number;
    warnings: {
        /** Words may be added. */
        code: string;
        message: string;
    }[];
    /** All rows, one JSON object a line, for download. */
    jsonLines: {
        /** Bytes. */
        size: number;
        url: string;
    };
}

/** One column of a table, told from all its rows. */
export interface TableColumn {
    /** Unique within the table: of the header, or `column_1` and so on. */
    name: string;
    /** What all its values can be read as. Numbers are those of JSON, with 15 digits at most where they are whole; dates, times and durations (`PT36H`) those of ISO 8601; `empty`: it has no value. */
    type: 'string' | 'integer' | 'number' | 'boolean' | 'date' | 'datetime' | 'time' | 'duration' | 'empty';
    /** Rows in which it is empty. */
    nullCount: number;
}

/** A row that was left out. */
export interface RowError {
    /** Line of a text, row of a sheet; 1 is the first. */
    line: number;
    /** `stray_quote`, `too_few_cells` or `too_many_cells`. Words may be added. */
    code: string;
    message: string;
}

/** Every 4xx and 5xx answer (RFC 9457, `application/problem+json`). */
export interface Problem {
    /** `/problems/{code}`: a name, not a page. */
    type: string;
    /** For people. All problems with the same code have the same title. */
    title: string;
    status: number;
    /** What happened and what the sender can do about it. */
    detail: string;
    /** What to switch on. Codes may be added: fall back on `status`. */
    code: string;
    /** The id of the upload, as it was sent. */
    id?: string;
    state?: UploadState;
    /** Present, with `state`, if this is the outcome of the upload: asking again gives the same. */
    final?: true;
}

/** Uploads files and watches them. Create one per page, because each client holds its own progress request. */
export interface UploadClient {
    /**
     * Starts an upload after those that already wait. If the given id is being watched, that handle ends and its result
     * rejects with `aborted`. Throws a RangeError if the id is already being sent.
     */
    upload(file: Blob, options?: UploadOptions): UploadHandle;
    /** Watches an upload whose bytes the server has, for example after a reload. Returns the existing handle if there is one. */
    watch(id: string, options?: FollowOptions): UploadHandle;
    /** Ends all pauses after failures and asks for progress. Call it when the network is back or the page is visible again. */
    wake(): void;
    /** Ends all uploads on this side without cancelling them on the server. Their results reject with `aborted`. */
    close(): void;
}

/**
 * Creates a client that uploads files and watches all of them with one held request. It needs only `fetch`, timers and
 * `crypto`, so it runs in browsers and in Node 20 or later.
 */
export declare function createUploadClient(clientOptions?: UploadClientOptions): UploadClient;

/**
 * The reason why an upload or a request failed. `problem` is the server's problem document. If there was no answer, the
 * client creates one with `status` 0.
 */
export declare class UploadError extends Error {
    readonly problem: Problem;
    /** The value of `Retry-After` in milliseconds. */
    readonly retryAfterMs: number | null;
    constructor(problem: Problem, options?: {
        retryAfterMs?: number | null;
        cause?: unknown;
    });
    get code(): string;
    get status(): number;
}
