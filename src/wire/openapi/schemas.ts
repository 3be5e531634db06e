import { z } from 'zod';
import type {
  Exposure,
  Links,
  PictureResult,
  Position,
  Problem,
  Progress,
  ProgressList,
  Result,
  UnwatchableUpload,
  Upload,
  UploadList,
  UploadState,
  Variant,
} from '../documents.ts';
import { ERROR_CODES, statusOf, titleOf } from '../../errors.ts';
import { UPLOAD_ID } from '../../http/parameters.ts';
import { schemaOf } from './schema-of.ts';
import { tableResultSchema } from './table-schemas.ts';

/** A camera's clock knows no time zone unless the file names one. */
const CAMERA_CLOCK = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)?$/;

const count = z.int().min(0);
const bytes = count.describe('Bytes.');
const pixels = z.int().min(1).describe('Pixels.');
const path = z.string().regex(/^\//);
const time = z.iso.datetime().describe('UTC.');

/** What `requireUploadId` takes. */
export const uploadIdSchema = z
  .string()
  .regex(UPLOAD_ID)
  .meta({
    format: 'uuid',
    description:
      'A lower-case UUID of version 4. Whoever knows it may read, cancel and delete the upload: keep it secret.',
  });

/** All seven, in the order in which an upload may pass through them. */
export const uploadStateSchema = schemaOf<UploadState>()(
  z
    .enum(['receiving', 'queued', 'processing', 'completed', 'failed', 'cancelled', 'discarded'])
    .describe(
      'The last four are final. `discarded`: the queue was full, and this upload, the oldest that waited, made room.',
    ),
);

/** Absolute paths; refuses a whole URL. */
export const linksSchema = schemaOf<Links>()(
  z
    .strictObject({
      self: path,
      progress: path,
      result: path,
      events: path,
      cancel: path,
      variants: path.describe(
        'Followed by `/{name}`, each picture made of the upload. The one link that may be shown to others.',
      ),
      content: path.describe('There once the bytes are stored.').exactOptional(),
    })
    .describe('Where to go next: absolute paths at this same host.'),
);

const version = z
  .int()
  .min(1)
  .describe('Grows with every change of the upload. Give back the last one seen as `since`, and no change is missed.');

/** Refuses members that are not documented, as do all below it. */
export const progressSchema = schemaOf<Progress>()(
  z
    .strictObject({
      id: uploadIdSchema,
      state: uploadStateSchema,
      version,
      percent: z
        .number()
        .min(0)
        .max(100)
        .describe('Never goes down within an upload; 100 only when `state` is `completed`.'),
      stage: z
        .string()
        .min(1)
        .describe(
          '`receive`, `queue`, `inspect`, a step of the processor, or `done`. New steps may come: show them, do not switch on them.',
        ),
      bytes: z.strictObject({
        received: bytes,
        total: bytes.nullable().describe('Null where the sender did not say.'),
      }),
      attempt: count.describe(
        'Counts the workers that have taken the upload up; a retry shows here and takes no percent back.',
      ),
      queuePosition: z
        .int()
        .min(1)
        .nullable()
        .describe('1 is next; null unless queued. Computed when read, so it moves without a new version.'),
      etaMs: count
        .nullable()
        .describe('Milliseconds to the end of the present phase; null until it can be estimated. Computed when read.'),
      updatedAt: time,
      final: z.boolean().describe('Nothing changes any more: stop polling.'),
      timedOut: z
        .boolean()
        .describe('True where the time to hold the answer was up before what was asked for had come: ask again.'),
      links: linksSchema,
    })
    .describe('How far an upload has come.'),
);

/** `code | status | title` for every code, as a table in Markdown. */
function codeTable(): string {
  const rows = ERROR_CODES.map((code) => `| \`${code}\` | ${statusOf(code)} | ${titleOf(code)} |`);
  return ['| code | status | meaning |', '| --- | --- | --- |', ...rows].join('\n');
}

// Typed as plain words, since clients must expect words to come.
const codes: readonly string[] = ERROR_CODES;

/** Refuses codes that are not in the table of errors. */
export const problemSchema = schemaOf<Problem>()(
  z
    .strictObject({
      type: z.string().min(1).describe('`/problems/{code}`: a name, not a page.'),
      title: z.string().min(1).describe('For people; the same for every problem of a code.'),
      status: z.int().min(400).max(599),
      detail: z.string().min(1).describe('What happened and what the sender can do about it.'),
      code: z.enum(codes).describe('What to switch on. Words may be added: fall back on `status`.'),
      id: z.string().describe('The upload it speaks of, as it was asked for.').exactOptional(),
      state: uploadStateSchema.exactOptional(),
      final: z
        .literal(true)
        .describe('Present, with `state`, where this is the outcome of the upload: asking again gives the same.')
        .exactOptional(),
    })
    .describe(`Every 4xx and 5xx answer (RFC 9457, \`application/problem+json\`).\n\n${codeTable()}`),
);

/** As a result lists it; what storage knows of a variant is more, and stays inside. */
export const variantSchema = schemaOf<Variant>()(
  z
    .strictObject({
      name: z.string().min(1),
      format: z.string().min(1),
      width: pixels,
      height: pixels,
      size: bytes,
      url: path,
    })
    .describe(
      'A picture made of the uploaded one. It carries no GPS position, and no other EXIF but what `keepMetadata` asked for.',
    ),
);

/** Refuses numbers that make no sense. */
export const exposureSchema = schemaOf<Exposure>()(
  z
    .strictObject({
      timeMs: z.number().positive().nullable(),
      fNumber: z.number().positive().nullable(),
      iso: z.number().positive().nullable(),
      focalLengthMm: z.number().positive().nullable().describe('Of the lens itself, not of its like on 35 mm film.'),
    })
    .describe('How a picture was exposed; each member null where the file does not say.'),
);

/** Refuses what is on no globe. */
export const positionSchema = schemaOf<Position>()(
  z
    .strictObject({
      latitude: z.number().min(-90).max(90),
      longitude: z.number().min(-180).max(180),
      altitudeM: z.number().nullable(),
    })
    .describe('In degrees of WGS 84, south and west negative; metres above the sea, null where the file does not say.'),
);

/** Of the kind `picture`. */
export const pictureResultSchema = schemaOf<PictureResult>()(
  z
    .strictObject({
      kind: z.literal('picture'),
      format: z.string().min(1),
      width: pixels.describe('Pixels as a person sees it, after the EXIF orientation.'),
      height: pixels.describe('Pixels as a person sees it, after the EXIF orientation.'),
      frames: z.int().min(1).describe('1 for a still picture.'),
      hasAlpha: z.boolean(),
      colourSpace: z.string().min(1),
      orientation: z.int().min(1).max(8).describe('The EXIF orientation as found; 1 where the file has none.'),
      takenAt: z
        .string()
        .regex(CAMERA_CLOCK)
        .nullable()
        .describe("The camera's own clock, with an offset where the file has one; null where it says nothing."),
      camera: z.string().min(1).nullable().describe('Make and model as one line; null where the file says nothing.'),
      lens: z.string().min(1).nullable().describe('Make and model as one line; null where the file says nothing.'),
      exposure: exposureSchema.nullable().describe('Null where the file says nothing.'),
      gps: positionSchema
        .nullable()
        .describe('There only where the options asked for it; null where the file says nothing.')
        .exactOptional(),
      dominantColour: z.string().regex(/^#[0-9a-f]{6}$/),
      thumbhash: z
        .base64()
        .describe(
          'A [thumbhash](https://evanw.github.io/thumbhash/): about 25 bytes to show until a variant has come.',
        ),
      perceptualHash: z
        .string()
        .regex(/^[0-9a-f]{16}$/)
        .describe(
          '64 bits in hex. Two pictures are copies of one another, resized or encoded anew, where at most about 10 of these bits differ.',
        ),
      variants: z.array(variantSchema).describe('Largest first.'),
    })
    .describe('What a processed picture turned out to be.'),
);

/** Refuses a `kind` that no processor has; a new kind is one more line here. */
export const resultSchema = schemaOf<Result>()(
  z
    .discriminatedUnion('kind', [pictureResultSchema, tableResultSchema])
    .describe('What processing made of an upload; `kind` tells which processor. Kinds may be added.'),
);

const file = z.strictObject({
  name: z.string().min(1).describe('As sent, without a path and without what cannot be shown.'),
  type: z
    .string()
    .min(1)
    .nullable()
    .describe('What the bytes are, whatever the sender claimed; null until enough of them came.'),
  size: bytes,
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .nullable()
    .describe('Null until stored; where workers take it, null until completed.'),
});

/** Checks each member by itself, not that they agree, such as `state` with `result`. */
export const uploadSchema = schemaOf<Upload>()(
  z
    .strictObject({
      id: uploadIdSchema,
      state: uploadStateSchema,
      version,
      file,
      progress: progressSchema,
      result: resultSchema.nullable().describe('Null unless completed.'),
      error: problemSchema.nullable().describe('Null unless failed.'),
      createdAt: time,
      updatedAt: time,
      expiresAt: time.nullable().describe('When the upload and its files are removed; null until it is final.'),
      publicId: z
        .string()
        .min(1)
        .describe('Reads variants and nothing else, so it may be shown to others; `id` may not.'),
      links: linksSchema,
    })
    .describe('One file sent by a client, from its first byte to its result.'),
);

/** Answer of `POST /uploads`. */
export const uploadListSchema = schemaOf<UploadList>()(
  z.strictObject({ uploads: z.array(uploadSchema) }).describe('Uploads in the order in which their files were sent.'),
);

/** Its `id` may be anything: it is what the client sent. */
export const unwatchableUploadSchema = schemaOf<UnwatchableUpload>()(
  z
    .strictObject({ id: z.string().describe('As it was asked for.'), error: problemSchema })
    .describe(
      'Stands in place of a Progress for an upload that cannot be watched: `bad_upload_id`, `bad_since`, `unknown_upload` or `upload_gone`.',
    ),
);

/** Answer of `GET /progress`. */
export const progressListSchema = schemaOf<ProgressList>()(
  z
    .strictObject({
      uploads: z.array(z.union([progressSchema, unwatchableUploadSchema])),
      timedOut: z.boolean().describe('True where nothing had moved when the time was up; `uploads` is empty then.'),
    })
    .describe('The watched uploads that moved.'),
);

/** Answer of `GET /healthz` and, with `ready`, of `GET /readyz`. */
export const serviceStatusSchema = z
  .strictObject({
    status: z.enum(['ok', 'ready']),
    workers: z.int().nonnegative().optional().describe('Worker processes that are alive; only in `/readyz`.'),
  })
  .describe('A service that is well.');
