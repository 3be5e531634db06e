/*
 * Types of the browser client, the module at /client.js of every deferred-uploads service.
 * Made by `npm run generate` from the sources; changes belong there.
 */

/** Figures that are left out keep their defaults. */
export interface UploadClientOptions extends Partial<Tuning> {
    /** Where the service is, such as `https://uploads.example`; the page's own origin by default, so needed outside browsers. */
    baseUrl?: string;
    fetch?: typeof globalThis.fetch;
    /** Told false when progress cannot be asked for, and true when it can again. */
    onConnection?: (connected: boolean) => void;
}

/** The client's figures; the defaults suit a page. */
export interface Tuning {
    /** Files on their way at the same time, 3 by default: a browser has six connections to a server. */
    sendAtOnce: number;
    /** Files above this go in parts, 33554432 (32 MiB) by default: a break or a pause costs nothing of them. */
    resumableAboveBytes: number;
    /** The longest part, 16777216 (16 MiB) by default; lower it for proxies that limit bodies. */
    partBytes: number;
    /** Left between two progress requests, 250 by default. */
    gapMs: number;
    /** How long the server is asked to hold a progress request, 25000 by default. */
    holdMs: number;
    /** Between two progress requests where held answers do not get through, 2000 by default. */
    pollMs: number;
    /** The first pause after a failure, 500 by default; it doubles with each further one. */
    firstRetryMs: number;
    /** The longest pause after a failure, 30000 by default. */
    longestRetryMs: number;
    /** From the first failure of a request to giving it up, 600000 by default. */
    giveUpAfterMs: number;
}

/** Listeners of one upload, called in the order of events. */
export interface FollowOptions {
    /** Called with every progress known, the final one included. Must not throw. */
    onProgress?: (progress: Progress) => void;
    /** Must not throw. */
    onPhase?: (phase: UploadPhase) => void;
}

/** How far an upload has come. `version` is the cursor of a long poll: it grows with every change of the record. */
export interface Progress {
    id: string;
    state: UploadState;
    version: number;
    /** 0 to 100; never goes down, and is 100 only when `state` is `completed`. */
    percent: number;
    /** `receive`, `queue`, `inspect`, a step of the processor, or `done`. */
    stage: string;
    /** `total` is null where the client did not say how long its file is. */
    bytes: {
        received: number;
        total: number | null;
    };
    /** Counts the workers that have taken the upload up; 0 until the first one does. */
    attempt: number;
    /** 1 is next; null unless queued. */
    queuePosition: number | null;
    /** Null until it can be estimated. */
    etaMs: number | null;
    updatedAt: string;
    final: boolean;
    /** True only in the timeout value of a deferred response. */
    timedOut: boolean;
    links: Links;
}

/** Where an upload stands. The last four are final: no upload leaves them. */
export type UploadState = 'receiving' | 'queued' | 'processing' | 'completed' | 'failed' | 'cancelled' | 'discarded';

/** Absolute-path URLs of one upload; `content` is there once the bytes are stored. */
export interface Links {
    self: string;
    progress: string;
    result: string;
    events: string;
    cancel: string;
    variants: string;
    content?: string;
}

/**
 * Where the client stands with an upload; how far the server has come, its Progress tells.
 * `waiting` for its turn, `sending`, `retrying` after a broken connection, `paused` by you,
 * `following` what becomes of the bytes, `over`.
 */
export type UploadPhase = 'waiting' | 'sending' | 'retrying' | 'paused' | 'following' | 'over';

/** What may be said of a file that is sent. */
export interface UploadOptions extends FollowOptions {
    /** A File's own name by default, else `file`. */
    name?: string;
    /** What the processor is asked for, as the API reference says; its defaults where left out. */
    options?: object;
    /** Aborting it is `cancel()`. */
    signal?: AbortSignal;
    /** A UUID version 4: an upload that was broken off, in this page or in one before, goes on under its old id. */
    id?: string;
    /** True to begin with a pause, which `resume` ends. */
    paused?: boolean;
}

/** One upload under way. */
export interface UploadHandle {
    readonly id: string;
    readonly phase: UploadPhase;
    /** May be iterated more than once; ends when the upload is over, however that was. */
    readonly progress: AsyncIterable<Progress>;
    /** Rejects with an UploadError in every case but `completed`. Leaving it unhandled is no fault. */
    readonly result: Promise<Upload>;
    /** What is final already keeps its outcome. Resolves once the server knows; never rejects. */
    cancel(): Promise<void>;
    /**
     * Stops sending and lets others take the place. What went in parts goes on where it was, a smaller file begins anew;
     * either way it is one upload. False, and nothing done, once the server has all bytes.
     */
    pause(): boolean;
    /** False where it is not paused. */
    resume(): boolean;
}

/** One file sent by a client, from its first byte to its result. */
export interface Upload {
    id: string;
    state: UploadState;
    version: number;
    /** `type` is what the bytes are, null until enough of them came; `sha256` is lower-case hex, null until stored. */
    file: {
        name: string;
        type: string | null;
        size: number;
        sha256: string | null;
    };
    progress: Progress;
    result: Result | null;
    error: Problem | null;
    createdAt: string;
    updatedAt: string;
    /** Null until the upload is final. */
    expiresAt: string | null;
    /** Reads variants and nothing else, so it may be shown to others; `id` may not. */
    publicId: string;
    links: Links;
}

/** What processing made of an upload; `kind` tells which processor. */
export type Result = PictureResult | TableResult;

/** What a processed picture turned out to be; `width` and `height` are as a person sees it. */
export interface PictureResult {
    kind: 'picture';
    format: string;
    width: number;
    height: number;
    /** 1 for a still picture. */
    frames: number;
    hasAlpha: boolean;
    colourSpace: string;
    /** The EXIF orientation as found, 1 to 8; 1 where the file has none. */
    orientation: number;
    /** The camera's own clock, ISO 8601, with an offset where the file has one; null where it says nothing. */
    takenAt: string | null;
    /** Make and model as one line; null where the file says nothing. */
    camera: string | null;
    /** Make and model as one line; null where the file says nothing. */
    lens: string | null;
    /** Null where the file says nothing. */
    exposure: Exposure | null;
    /** There only where the options asked for it; null where the file says nothing. */
    gps?: Position | null;
    /** `#rrggbb`. */
    dominantColour: string;
    /** Base64 of a thumbhash. */
    thumbhash: string;
    /** 64 bits in hex; the fewer bits differ, the more two pictures look alike. */
    perceptualHash: string;
    variants: Variant[];
}

/** How a picture was exposed; each null where the file does not say. */
export interface Exposure {
    timeMs: number | null;
    fNumber: number | null;
    iso: number | null;
    /** Of the lens itself, not of its like on 35 mm film. */
    focalLengthMm: number | null;
}

/** Where a picture was taken, in degrees of WGS 84, south and west negative; above the sea where the file says how high. */
export interface Position {
    latitude: number;
    longitude: number;
    altitudeM: number | null;
}

/** One picture made from the uploaded one. */
export interface Variant extends DerivedFile {
    name: string;
    format: string;
    width: number;
    height: number;
}

/** A file made from the uploaded one. */
export interface DerivedFile {
    size: number;
    url: string;
}

/** What a processed table turned out to be. */
export interface TableResult {
    kind: 'table';
    format: 'csv' | 'tsv' | 'xlsx';
    /** A name of the Encoding Standard, such as `utf-8`; null for a workbook. */
    encoding: string | null;
    /** 0 to 1; 1 if the encoding was marked, given or proved by all bytes; null for a workbook. */
    encodingCertainty: number | null;
    /** Null for a workbook. */
    delimiter: string | null;
    /** Name of the sheet; null for a text. */
    sheet: string | null;
    hasHeader: boolean;
    columns: TableColumn[];
    /** Rows that were taken, without the header. */
    rowCount: number;
    /** As many as fit into a page; long texts are cut. */
    firstRows: CellValue[][];
    /** The first ones of `errorCount`. */
    errors: RowError[];
    errorCount: number;
    /** Rows of the upload that are not in `jsonLines`: faulty ones, and those above the header. */
    rowsSkipped: number;
    warnings: TableWarning[];
    /** All rows, one JSON object a line. */
    jsonLines: DerivedFile;
}

/** One column of a table, told from all its rows. */
export interface TableColumn {
    /** Unique within the table. */
    name: string;
    type: ColumnType;
    /** Rows in which it is empty. */
    nullCount: number;
}

/** What all values of a column can be read as; `empty` where it has none. */
export type ColumnType = 'string' | 'integer' | 'number' | 'boolean' | 'date' | 'datetime' | 'time' | 'duration' | 'empty';

/** Null for an empty cell. */
export type CellValue = string | number | boolean | null;

/** A row that was left out. */
export interface RowError {
    /** Line of a text, row of a sheet; 1 is the first. */
    line: number;
    /** `stray_quote`, `too_few_cells` or `too_many_cells`. */
    code: string;
    message: string;
}

/** Something about a table that its reader should know: what was left out of it, or what was guessed. */
export interface TableWarning {
    /** A stable word. */
    code: string;
    message: string;
}

/** RFC 9457 problem document with a stable machine word. */
export interface Problem {
    type: string;
    title: string;
    status: number;
    detail: string;
    code: string;
    /** The upload it speaks of, where there is one. */
    id?: string;
    /** Present, with `final: true`, where the problem is the upload's final outcome. */
    state?: UploadState;
    final?: true;
}

/** The hands of a page or a script on the service; one per page, as each holds a request of its own. */
export interface UploadClient {
    /**
     * Takes its turn after those given before. Where the given id is being watched, that ends (its result rejects as
     * `aborted`); where it is being sent, a RangeError is thrown.
     */
    upload(file: Blob, options?: UploadOptions): UploadHandle;
    /** Follows an upload whose bytes the server has, as after a reload; the handle in hand where there is one. */
    watch(id: string, options?: FollowOptions): UploadHandle;
    /** Ends the waits after failures, and asks for progress anew: for when the network is back, or the page is seen again. */
    wake(): void;
    /** Lets go of everything in hand, without cancelling what the server has: the results reject as `aborted`. */
    close(): void;
}

/**
 * Sends files and follows them with one held request for all. Uses nothing but `fetch`, timers
 * and `crypto`, and so runs in browsers and in Node 20 alike.
 */
export declare function createUploadClient(clientOptions?: UploadClientOptions): UploadClient;

/**
 * Why an upload has not ended well, or why a request failed. `problem` is the server's own
 * where it sent one; where no answer came its `status` is 0.
 */
export declare class UploadError extends Error {
    readonly problem: Problem;
    /** What `Retry-After` asked for, in milliseconds. */
    readonly retryAfterMs: number | null;
    constructor(problem: Problem, options?: {
        retryAfterMs?: number | null;
        cause?: unknown;
    });
    get code(): string;
    get status(): number;
}
