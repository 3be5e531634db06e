import type { z } from 'zod';
import type * as access from './access-schemas.ts';
import type * as direct from './direct-schemas.ts';
import type * as limits from './limit-schemas.ts';
import type * as operators from './operator-schemas.ts';
import type * as pictures from './picture-schemas.ts';
import type { UploadState } from './base-schemas.ts';
import type * as tables from './table-schemas.ts';
import type * as tenants from './tenant-schemas.ts';
import type * as uploads from './upload-schemas.ts';
import type * as webhooks from './webhook-schemas.ts';

/*
 * Types of the JSON that crosses HTTP, shared by the server, the workers and the browser. The schemas describe each
 * member. Only types may be imported here, because the browser bundle contains this file.
 * Times are ISO 8601 in UTC, durations are milliseconds, sizes are bytes.
 */
export type { Problem, UploadState } from './base-schemas.ts';

const FINAL_STATES: ReadonlySet<UploadState> = new Set(['completed', 'failed', 'cancelled', 'discarded']);

/** True for a state that an upload never leaves. */
export function isFinalState(state: UploadState): boolean {
  return FINAL_STATES.has(state);
}

/** Answer of `GET /limits`. */
export type Limits = z.infer<typeof limits.limitsSchema>;

/** Where a client may put one part of a file. */
export type DirectPart = z.infer<typeof direct.directPartSchema>;

/** Answer of `POST /uploads/direct`. */
export type DirectUploadDocument = z.infer<typeof direct.directUploadSchema>;

/** Answer of `GET /uploads/{id}/direct/stored`. */
export type StoredPartsDocument = z.infer<typeof direct.storedPartsSchema>;

/** A ticket that was signed for an API key. */
export type IssuedTicket = z.infer<typeof access.issuedTicketSchema>;

/** Absolute-path URLs of one upload; `content` is there once the bytes are stored. */
export type Links = z.infer<typeof uploads.linksSchema>;

/** How far an upload is. `version` is the cursor of a long poll: it grows with every change of the record. */
export type Progress = z.infer<typeof uploads.progressSchema>;

/** One picture made from the uploaded one. */
export type Variant = z.infer<typeof pictures.variantSchema>;

/** The exposure of a photo. A member is null if the file does not contain it. */
export type Exposure = z.infer<typeof pictures.exposureSchema>;

/** Where a picture was taken. */
export type Position = z.infer<typeof pictures.positionSchema>;

/** The result of a picture; `width` and `height` are measured after the EXIF orientation is applied. */
export type PictureResult = z.infer<typeof pictures.pictureResultSchema>;

/** A part of a picture that is in no variant, or that could not be read. */
export type PictureWarning = z.infer<typeof pictures.pictureWarningSchema>;

/** The result of a table. */
export type TableResult = z.infer<typeof tables.tableResultSchema>;

/** One column of a table. */
export type TableColumn = z.infer<typeof tables.tableColumnSchema>;

/** A row that was left out. */
export type RowError = z.infer<typeof tables.rowErrorSchema>;

/** Rows or cells of a table that were left out, or something that was guessed. */
export type TableWarning = z.infer<typeof tables.tableWarningSchema>;

/** The type that all values of a column have; `empty` if it has no values. */
export type ColumnType = TableColumn['type'];

/** A cell of a table; null if it is empty. */
export type CellValue = TableResult['firstRows'][number][number];

/** A file made from the uploaded one. */
export type DerivedFile = TableResult['jsonLines'];

/** The result of an upload; `kind` names the processor. */
export type Result = z.infer<typeof uploads.resultSchema>;

/** One file sent by a client, from its first byte to its result. */
export type Upload = z.infer<typeof uploads.uploadSchema>;

/** Answer of `POST /uploads`, files in the order sent. */
export type UploadList = z.infer<typeof uploads.uploadListSchema>;

/** Answer of `GET /uploads`, newest first. */
export type UploadPage = z.infer<typeof tenants.uploadPageSchema>;

/** Answer of `GET /usage`. */
export type Usage = z.infer<typeof tenants.usageSchema>;

/** Replaces the Progress of an id that cannot be watched. */
export type UnwatchableUpload = z.infer<typeof uploads.unwatchableUploadSchema>;

/** Answer of `GET /progress?upload=…`: the uploads that moved. */
export type ProgressList = z.infer<typeof uploads.progressListSchema>;

/** Counts of the last 60 minutes. */
export type RecentHour = z.infer<typeof operators.recentHourSchema>;

/** Failures of the last hour with one code. */
export type FailureCount = z.infer<typeof operators.failureCountSchema>;

/** Answer of `GET /operators/uploads`. */
export type FoundUploads = z.infer<typeof operators.foundUploadsSchema>;

/** An upload that an operator has found. */
export type FoundUpload = FoundUploads['uploads'][number];

/** Counts of the last 60 seconds of one process. */
export type MinuteCounts = ProcessReport['lastMinute'];

/** Time from an event to the last byte of the answers that it resolved. */
export type WakeLatency = NonNullable<ProcessReport['wake']>;

/** The state of one process, published every few seconds. */
export type ProcessReport = z.infer<typeof operators.processReportSchema>;

/** An upload that failed for a reason that may be gone at the next try. */
export type FailedUpload = ServiceFigures['failures']['newest'][number];

/** Tenants with their limits and use. */
export type TenantFigures = NonNullable<ServiceFigures['tenants']>;

/** The state of the whole service, for operators. */
export type ServiceFigures = z.infer<typeof operators.serviceFiguresSchema>;

/** The type of a webhook. */
export type WebhookEvent = Webhook['type'];

/** The body of a webhook. */
export type Webhook = z.infer<typeof webhooks.webhookSchema>;

/** A webhook that was not delivered yet, or not at all. */
export type Delivery = DeliveryList['deliveries'][number];

/** Answer of `GET /operators/deliveries`. */
export type DeliveryList = z.infer<typeof webhooks.deliveryListSchema>;
