/*
 * Types of the browser client, the module at /client.js of every deferred-uploads service.
 * Made by `npm run generate` from the sources; changes belong there.
 */

/** Options of the client. All are optional. */
export interface UploadClientOptions extends Partial<Tuning> {
    /**
     * Address of the service, such as `https://uploads.example`. Default: the origin of the page. Required outside
     * browsers.
     */
    baseUrl?: string;
    /**
     * Default: the global one, which does not count sent bytes. Another one may call `onSent(bytes)` of its second
     * argument while it sends a body, and the client then notices a dead connection sooner.
     */
    fetch?: typeof globalThis.fetch;
    /**
     * True to put files straight into the bucket of the service. The bucket must allow the page (CORS). Without a bucket
     * files go to the service. Default false.
     */
    direct?: boolean;
    /** Sent with every request to the service, for example for a gateway in front of it. */
    headers?: RequestHeaders;
    /**
     * Returns a ticket from the application's back end, for services that ask for one. It is called before the first
     * upload, and again if the server refuses the ticket.
     */
    ticket?: FetchTicket;
    /**
     * Called with false, the milliseconds to the next try and the reason if a progress request fails, and with true
     * when one succeeds. `wake()` tries at once.
     */
    onConnection?: ConnectionListener;
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

/** Headers of the application for each request, or a function that returns them, such as for a gateway. */
export type RequestHeaders = Record<string, string> | (() => Record<string, string> | Promise<Record<string, string>>);

/** Returns a ticket from the application's back end. Undefined or empty sends the upload without one. */
export type FetchTicket = () => string | undefined | Promise<string | undefined>;

/** Called with false, the time to the next try and the reason if a request fails, and with true when one succeeds. */
export type ConnectionListener = (connected: boolean, nextTryMs?: number, problem?: Problem) => void;

/** Every 4xx and 5xx answer (RFC 9457, `application/problem+json`). */
export interface Problem {
    /** `/problems/{code}`: a name, not a page. */
    type: string;
    /** For people. All problems with the same code have the same title. */
    title: string;
    status: number;
    /** What happened and what the sender can do about it. */
    detail: string;
    /** Switch on this member. Codes may be added: fall back on `status`. */
    code: string;
    /** The id of the upload, as it was sent. */
    id?: string;
    /** The quota that is used up. Only with `quota_exceeded`. */
    limit?: 'waiting' | 'receiving' | 'uploadsPerDay' | 'bytesPerDay' | 'storedBytes' | 'createPerMinute';
    state?: UploadState;
    /** Present, with `state`, if this is the outcome of the upload: asking again gives the same. */
    final?: true;
}

/** The last four are final. `discarded`: the queue was full, and this upload, the oldest that waited, was removed. */
export type UploadState = 'receiving' | 'queued' | 'processing' | 'completed' | 'failed' | 'cancelled' | 'discarded';

/** Listeners of one upload, called in the order of events. */
export interface FollowOptions {
    /** Called with every progress, including the final one. Must not throw. */
    onProgress?: (progress: Progress) => void;
    /**
     * Called with each phase, and with the reason if it is `retrying`: `cors_blocked` if the server does not allow the
     * page, `connection_lost` if it cannot be reached, or the server's own problem. Must not throw.
     */
    onPhase?: (phase: UploadPhase, problem?: Problem) => void;
}

/** How far an upload is. */
export interface Progress {
    id: string;
    state: UploadState;
    /**
     * Grows with every change of the upload. Send the newest version that you saw as `since`, and you miss no change.
     */
    version: number;
    /** 0 to 100. It never goes down within an upload, and is 100 only when `state` is `completed`. */
    percent: number;
    /**
     * `receive` or `fetch`, `queue`, `assemble` (parts are joined or a large file is hashed), `inspect`, a step of the
     * processor, or `done`. Steps may be added: show them, but do not switch on them.
     */
    stage: string;
    bytes: {
        /** Bytes. */
        received: number;
        /** Null if the sender did not announce the size. */
        total: number | null;
    };
    /** Number of attempts at processing; 0 before the first one. A retry does not lower `percent`. */
    attempt: number;
    /** 1 is the next upload; null unless queued. Computed at each read, so it changes without a new version. */
    queuePosition: number | null;
    /** Milliseconds to the end of the current phase; null until it can be estimated. Computed at each read. */
    etaMs: number | null;
    /** UTC. */
    updatedAt: string;
    /** True if nothing will change any more: stop polling. */
    final: boolean;
    /** True if the time was up before the upload changed: ask again. */
    timedOut: boolean;
    links: Links;
}

/** URLs of the upload, as absolute paths at the same host. */
export interface Links {
    self: string;
    progress: string;
    result: string;
    events: string;
    cancel: string;
    /** Add `/{name}` for a picture made from the upload. Only this link may be shown to other people. */
    variants: string;
    /** Present when the bytes are stored. */
    content?: string;
}

/**
 * The phase of an upload on the client; its `Progress` describes the server's side. `waiting`: not started, because
 * other files are sent first. `sending`. `retrying` after an error. `paused` by `pause()`. `following`: the server has
 * all bytes and the client waits for the result. `over`.
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

/** Uploads files and watches them. Create one per page, because each client holds its own progress request. */
export interface UploadClient {
    /**
     * Starts an upload after the uploads that already wait. If the given id is being watched, that handle ends and its
     * result rejects with `aborted`. Throws a RangeError if the id is already being sent.
     */
    upload(file: Blob, options?: UploadOptions): UploadHandle;
    /**
     * Watches an upload whose bytes the server has, for example after a reload. If the client has a handle of it
     * already, it returns this one, and the given listeners are not used.
     */
    watch(id: string, options?: FollowOptions): UploadHandle;
    /**
     * Reads what the service accepts, with a ticket if the client has one, for `selectFiles`. Rejects with an
     * UploadError if there is no answer within `giveUpAfterMs`.
     */
    limits(): Promise<Limits>;
    /** Returns the address of a link of a document or a result, for `href` and `src` on a page of any origin. */
    url(link: string): string;
    /**
     * Ends all pauses after failures and asks for progress. Call it when the network is back or the page is visible
     * again.
     */
    wake(): void;
    /**
     * Ends all uploads on this side without cancelling them on the server. Their results reject with `aborted`. Cancels
     * and deletions that are already sent may still arrive, but are not repeated.
     */
    close(): void;
}

/** One upload of the client. */
export interface UploadHandle {
    readonly id: string;
    readonly phase: UploadPhase;
    /**
     * The progress of the upload. Can be iterated more than once. It ends when the upload is over, with or without
     * success.
     */
    readonly progress: AsyncIterable<Progress>;
    /** Rejects with an UploadError unless the upload is `completed`. An unhandled rejection is not reported. */
    readonly result: Promise<CompletedUpload>;
    /**
     * Cancels the upload unless it is final. Resolves when the server has confirmed, or after `giveUpAfterMs`. Never
     * rejects.
     */
    cancel(): Promise<void>;
    /**
     * Stops sending, so that the next file starts. After `resume` a file that is sent in parts continues, and a smaller
     * file starts again from the first byte. Returns false and does nothing if the server already has all bytes.
     */
    pause(): boolean;
    /** Continues a paused upload after the uploads that already wait. Returns false if it is not paused. */
    resume(): boolean;
    /**
     * Sends the file again after a failure or a cancel, with the same options, and returns the new handle. If the
     * outcome on the server is unknown, the id stays the same and bytes that arrived are not sent again. Returns null
     * if the upload is not over or is completed, or if it was only watched.
     */
    retry(): UploadHandle | null;
    /**
     * Deletes the upload with its files and results from the server, and cancels it if it is not over. Resolves when
     * the server has confirmed. Rejects with an UploadError if it does not, after `giveUpAfterMs`.
     */
    delete(): Promise<void>;
}

/** An upload that is completed, so it has a result. `result.kind` says which one. */
export interface CompletedUpload extends Upload {
    state: 'completed';
    result: Result;
}

/** One file sent by a client, from its first byte to its result. */
export interface Upload {
    id: string;
    state: UploadState;
    /**
     * Grows with every change of the upload. Send the newest version that you saw as `since`, and you miss no change.
     */
    version: number;
    file: {
        /** As sent, without a path and without characters that cannot be displayed. */
        name: string;
        /**
         * Media type, determined from the bytes, not from what the sender claimed; null until enough bytes have
         * arrived.
         */
        type: string | null;
        /** Bytes. */
        size: number;
        /**
         * Lower-case hex. Null until stored. Null until completed if a worker computes it: of a large resumable upload,
         * and with `UPLOAD_HASH=worker`.
         */
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
    /** Gives access only to variants, so it may be shown to other people. `id` must stay secret. */
    publicId: string;
    /** The tenant that the upload belongs to; null in open mode. */
    tenant: string | null;
    /** Metadata from the application, in the ticket or in its own request; null if there is none. */
    metadata: object | null;
    links: Links;
}

/** The result of an upload. `kind` names the processor. Kinds may be added. */
export type Result = PictureResult | TableResult;

/** The result of a picture. */
export interface PictureResult {
    kind: 'picture';
    format: string;
    /** Pixels, after the EXIF orientation is applied. */
    width: number;
    /** Pixels, after the EXIF orientation is applied. */
    height: number;
    /** 1 for a still picture. */
    frames: number;
    hasAlpha: boolean;
    colourSpace: string;
    /** The EXIF orientation of the file, 1 to 8; 1 if the file has none. */
    orientation: number;
    /** Local time of the camera (ISO 8601), with an offset if the file has one; null if the file has no time. */
    takenAt: string | null;
    /** Make and model in one line; null if the file does not contain them. */
    camera: string | null;
    /** Make and model in one line; null if the file does not contain them. */
    lens: string | null;
    /** Null if the file contains none. */
    exposure: Exposure | null;
    /** Present only if the option `gps` is true; null if the file contains no position. */
    gps?: Position | null;
    /** `#rrggbb`. */
    dominantColour: string;
    /**
     * A [thumbhash](https://evanw.github.io/thumbhash/) in base64: about 25 bytes, to show a preview until a variant is
     * loaded.
     */
    thumbhash: string;
    /**
     * 64 bits in hex. If at most about 10 bits differ, two pictures are copies of each other, perhaps resized or
     * encoded again.
     */
    perceptualHash: string;
    /** Missing if a worker of an earlier version read the picture. */
    warnings?: {
        /** Codes may be added. */
        code: string;
        message: string;
    }[];
    /** The largest first. */
    variants: Variant[];
}

/** The exposure of a photo. A member is null if the file does not contain it. */
export interface Exposure {
    timeMs: number | null;
    fNumber: number | null;
    iso: number | null;
    /** Focal length of the lens itself, not its 35 mm equivalent. */
    focalLengthMm: number | null;
}

/**
 * Where the photo was taken: degrees of WGS 84, negative in the south and west; metres above sea level, null if
 * unknown.
 */
export interface Position {
    latitude: number;
    longitude: number;
    altitudeM: number | null;
}

/**
 * A picture made from the uploaded one. It contains no GPS position, and other EXIF data only if `keepMetadata` is
 * true.
 */
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

/** The result of a table. */
export interface TableResult {
    kind: 'table';
    format: 'csv' | 'tsv' | 'xlsx';
    /** Name in the Encoding Standard, such as `utf-8`; null for a workbook. */
    encoding: string | null;
    /**
     * 1 if a byte order mark, the options or all bytes of the file prove the encoding; less if it is a guess. Null for
     * a workbook.
     */
    encodingCertainty: number | null;
    /** Null for a workbook. */
    delimiter: string | null;
    /** Name of the sheet; null for a text. */
    sheet: string | null;
    hasHeader: boolean;
    columns: TableColumn[];
    /** Number of rows in `jsonLines`. The header does not count. */
    rowCount: number;
    /** At most 20 rows. Long texts are shortened. */
    firstRows: ((string | number | boolean | null)[])[];
    /** The first 100 of `errorCount`. */
    errors: RowError[];
    /** Number of faulty rows, which were left out. */
    errorCount: number;
    /** Number of rows that are not in `jsonLines`: faulty rows and rows above the header. */
    rowsSkipped: number;
    warnings: {
        /** Codes may be added. */
        code: string;
        message: string;
    }[];
    /** File with all rows, one JSON object per line. */
    jsonLines: {
        /** Bytes. */
        size: number;
        url: string;
    };
    /** The same rows as CSV, made on request. Missing if a worker of an earlier version read the table. */
    csv?: {
        url: string;
    };
    /** The same rows as an XLSX workbook, made on request. */
    xlsx?: {
        url: string;
    };
}

/** One column of a table, determined from all rows. */
export interface TableColumn {
    /** Unique within the table: from the header, or `column_1` and so on. */
    name: string;
    /**
     * The type that all values of the column have. Numbers are in the form of JSON, whole ones with at most 15 digits.
     * Dates, times and durations (`PT36H`) are in ISO 8601. `empty`: the column has no values.
     */
    type: 'string' | 'integer' | 'number' | 'boolean' | 'date' | 'datetime' | 'time' | 'duration' | 'empty';
    /** Number of rows in which the column is empty. */
    nullCount: number;
}

/** A row that was left out. */
export interface RowError {
    /** Line of a text, or row of a sheet; 1 is the first. */
    line: number;
    /** `stray_quote`, `too_few_cells` or `too_many_cells`. Codes may be added. */
    code: string;
    message: string;
}

/** What may be sent. With a ticket or an API key, what its holder may send. */
export interface Limits {
    /** Maximum size of one file in bytes. */
    maxFileBytes: number;
    /** Maximum size of one form with all its files in bytes. */
    maxRequestBytes: number;
    /** Number of uploads that all requests with the ticket may create together. Null: no limit. */
    maxFiles: number | null;
    /** Maximum number of files in one form. */
    maxFilesPerRequest: number;
    /** All accepted media types. */
    types: {
        /** Media type, as determined from the bytes. */
        type: string;
        /** `picture`, `table`, or the name of a kind that `PROCESSORS` has added. */
        kind: string;
        /**
         * Usual extensions of such files, in lower case, the most common one first. Empty if they are not known: then a
         * file with any name may have this type.
         */
        extensions: string[];
    }[];
    /** How long an upload and its files are kept after it is final, in milliseconds. */
    retentionMs: number;
    /** True if files may be sent straight to the bucket. */
    direct: boolean;
    /** `keys`: uploads need a ticket or an API key. */
    access: 'open' | 'keys';
}

/**
 * Creates a client that uploads files and watches all of them with one held request. It needs only `fetch`, timers and
 * `crypto`, so it runs in browsers and in Node 20 or later.
 */
export declare function createUploadClient(clientOptions?: UploadClientOptions): UploadClient;

/**
 * Calls `onFiles` with the files that are dropped on a target or pasted into it, such as an element or `document`.
 * Returns a function that removes the listeners.
 */
export declare function acceptFiles(target: EventTarget, onFiles: (files: File[]) => void): () => void;

/**
 * Returns the files of a drop or a paste, with the files of dropped folders and their subfolders. Call it while the
 * event is handled, because the browser clears its data afterwards.
 *
 * @param selectOfFolders leaves out files of folders, which the user has not chosen one by one. Default: all files
 */
export declare function filesOf(event: FilesEvent, selectOfFolders?: (files: File[]) => File[]): Promise<File[]>;

/** An event of the browser, or of a library that has the same members, such as React. */
export interface FilesEvent {
    /** Set for a drop. */
    readonly dataTransfer?: DataTransfer | null;
    /** Set for a paste. */
    readonly clipboardData?: DataTransfer | null;
}

/**
 * Checks files before they are sent, for example with the limits that `client.limits()` returns. The codes are those of
 * the service: `unsupported_media_type`, `file_too_large`, `too_many_files`. The service determines types from the
 * bytes, so it may still reject a file that is accepted here.
 */
export declare function selectFiles<F extends Blob>(files: Iterable<F>, restrictions: Restrictions): SelectedFiles<F>;

/** What the application or the service accepts. A member that is missing or null does not restrict. */
export interface Restrictions {
    /** As the attribute of an input: media types such as `image/*` and extensions such as `.csv`, with commas. */
    accept?: string | null;
    /** Types with their file extensions, as the service lists them. A type without extensions may have any. */
    types?: readonly {
        readonly type: string;
        readonly extensions?: readonly string[];
    }[] | null;
    maxFileBytes?: number | null;
    maxFiles?: number | null;
}

/** Each file is in one of the lists, in the given order. */
export interface SelectedFiles<F extends Blob = File> {
    readonly accepted: F[];
    readonly rejected: RejectedFile<F>[];
}

/** A file that need not be sent, with the problem that the service would answer. Its `status` is 0. */
export interface RejectedFile<F extends Blob = File> {
    readonly file: F;
    readonly problem: Problem;
}

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
