import { choice, digits, integer } from './forms.ts';

const MIB = 1024 * 1024;
const HOUR_MS = 3_600_000;

/** Limits of requests that bring bytes. */
export const RECEIVING = {
  UPLOAD_MAX_BYTES: integer(100 * MIB, 1).describe('Maximum size in bytes of one file.'),
  UPLOAD_MAX_REQUEST_BYTES: integer(1024 * MIB, 1).describe('Maximum size in bytes of one request with all its files.'),
  UPLOAD_MAX_FILES: integer(100, 1, 10_000).describe('Maximum number of files in one multipart request.'),
  UPLOAD_MAX_FIELDS: integer(100, 1, 10_000).describe('Maximum number of other fields in one multipart request.'),
  UPLOAD_MAX_FIELD_BYTES: integer(65_536, 1, 16 * MIB).describe('Maximum size in bytes of each of these fields.'),
  HTTP_MAX_HEADER_BYTES: integer(16_384, 1024, MIB).describe(
    'Maximum size in bytes of all headers of one request. The headers of each part of a form may have 16384.',
  ),
  UPLOAD_MAX_OPEN: integer(1000, 0).describe(
    'Maximum number of request bodies that one API process receives at the same time (0: no limit).',
  ),
  UPLOAD_MAX_OPEN_PER_ADDRESS: integer(100, 0).describe(
    'Maximum number of these request bodies from one client address (0: no limit).',
  ),
  CREATE_PER_MINUTE_PER_ADDRESS: digits(0)
    .optional()
    .describe(
      'Maximum number of requests per minute from one client address that create uploads, for each API process ' +
        '(0: no limit). One more gets 429. If it is empty, 600, and no limit on a loopback HOST without ' +
        'TRUSTED_PROXIES. Requests with an API key are not limited by address.',
    ),
  UPLOAD_HASH: choice(['api', 'worker'])
    .prefault('api')
    .describe(
      'Which process computes the SHA-256 of a file. api: while it receives the file. worker: later, which ' +
        'saves API processes a third of their work; file.sha256 is then null until the upload is completed.',
    ),
  RESUMABLE_UPLOADS: choice(['off', 'on'])
    .prefault('off')
    .describe(
      'Whether /resumable takes resumable uploads of the IETF draft, for example from iOS. tus at /files is always on.',
    ),
  UPLOAD_MIN_BYTES_PER_S: integer(1024, 0).describe(
    'Bytes per second that a request body must reach on average over a minute; a slower one gets 408 (0: no ' +
      'minimum). If UPLOAD_MAX_OPEN is reached, a new request takes the place of the slowest sender below 16 ' +
      'KiB/s, which gets 503 and Retry-After.',
  ),
  UPLOAD_STALL_TIMEOUT_MS: integer(30_000, 100).describe(
    'A sender that sends nothing for this time is disconnected. The total time of an upload is not limited.',
  ),
  UPLOAD_EXPIRY_MS: integer(24 * HOUR_MS, 1000).describe(
    'A resumable upload that receives nothing for this time is deleted.',
  ),
  PICTURE_HEIC: choice(['on', 'off'])
    .prefault('on')
    .describe(
      'HEIC pictures, as iPhones take them. on: they are accepted. off: they get 415. ' +
        'The format is patented (docs/pictures.md).',
    ),
};
