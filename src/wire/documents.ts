/**
 * The JSON that crosses HTTP, shared by the server, the workers and the browser.
 * Types and pure tables alone: nothing here may import anything.
 * Times are ISO 8601 in UTC, durations milliseconds, sizes bytes.
 */

/** Where an upload stands. The last four are final: no upload leaves them. */
export type UploadState = 'receiving' | 'queued' | 'processing' | 'completed' | 'failed' | 'cancelled' | 'discarded';

const FINAL_STATES: ReadonlySet<UploadState> = new Set(['completed', 'failed', 'cancelled', 'discarded']);

/** True for a state that nothing can change any more. */
export function isFinalState(state: UploadState): boolean {
  return FINAL_STATES.has(state);
}

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
  bytes: { received: number; total: number | null };
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

/** A file made from the uploaded one. */
export interface DerivedFile {
  size: number;
  url: string;
}

/** One picture made from the uploaded one. */
export interface Variant extends DerivedFile {
  name: string;
  format: string;
  width: number;
  height: number;
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

/** What all values of a column can be read as; `empty` where it has none. */
export type ColumnType =
  'string' | 'integer' | 'number' | 'boolean' | 'date' | 'datetime' | 'time' | 'duration' | 'empty';

/** One column of a table, told from all its rows. */
export interface TableColumn {
  /** Unique within the table. */
  name: string;
  type: ColumnType;
  /** Rows in which it is empty. */
  nullCount: number;
}

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

/** What processing made of an upload; `kind` tells which processor. */
export type Result = PictureResult | TableResult;

/** One file sent by a client, from its first byte to its result. */
export interface Upload {
  id: string;
  state: UploadState;
  version: number;
  /** `type` is what the bytes are, null until enough of them came; `sha256` is lower-case hex, null until stored. */
  file: { name: string; type: string | null; size: number; sha256: string | null };
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

/** Answer of `POST /uploads`, files in the order sent. */
export interface UploadList {
  uploads: Upload[];
}

/** In place of a Progress, for an id that could not be watched. */
export interface UnwatchableUpload {
  id: string;
  error: Problem;
}

/** Answer of `GET /progress?upload=…`: those that moved. */
export interface ProgressList {
  uploads: (Progress | UnwatchableUpload)[];
  timedOut: boolean;
}

/** What one process did within the last 60 seconds. */
export interface MinuteCounts {
  /** Uploads that became queued: their bytes are stored. */
  received: number;
  completed: number;
  /** Refused ones included. */
  failed: number;
}

/** How long answers took from the event that resolved them to their last byte. */
export interface WakeLatency {
  /** As many answers of the last 60 seconds this tells of, the newest 1000 at most. */
  count: number;
  p50Ms: number;
  p99Ms: number;
}

/** What one process of the service tells of itself every few seconds. */
export interface ProcessReport {
  /** Another one after a restart. */
  id: string;
  role: 'api' | 'worker';
  host: string;
  pid: number;
  version: string;
  startedAt: string;
  /** Responses held now, by route; those that hold none are left out. */
  held: Record<string, number>;
  /** Jobs in hand now. */
  running: number;
  lastMinute: MinuteCounts;
  /** Null where nothing was woken within the last minute. */
  wake: WakeLatency | null;
}

/** An upload that failed in a way that another try may mend. */
export interface FailedUpload {
  id: string;
  name: string;
  type: string | null;
  size: number;
  attempts: number;
  /** Of the error that it failed with. */
  code: string;
  failedAt: string;
}

/** What an operator looks at: the whole service, as its processes and its queue tell of it now. */
export interface ServiceFigures {
  at: string;
  /** Jobs of the queue; `delayed` ones are attempts that wait for their next try. */
  jobs: { waiting: number; active: number; delayed: number };
  /** Uploads that wait for a worker, how many may, and for how long the first of them has; null where none does. */
  waiting: { count: number; capacity: number; oldestMs: number | null };
  /** Of the failures the newest alone. */
  failures: { count: number; newest: FailedUpload[] };
  processes: ProcessReport[];
}
