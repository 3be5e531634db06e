import type { Progress, UnwatchableUpload, Upload } from '../documents.ts';
import { problemOf } from '../../errors.ts';
import { linksOf } from '../../record/progress.ts';

/** Id of the upload in all examples. */
export const EXAMPLE_ID = '0b9c6f2e-3c1d-4f6a-9a57-2f8f5d1c7e10';

/** Public id of the upload in all examples. */
export const EXAMPLE_PUBLIC_ID = 'q7Zt0Yk2Vw9sXn4RbL1c_A';

const links = linksOf(EXAMPLE_ID, EXAMPLE_PUBLIC_ID, true);

const SIZE_BYTES = 3_481_920;

/** Progress of an upload that is stored and third in the queue. */
const QUEUED_PROGRESS: Progress = {
  id: EXAMPLE_ID,
  state: 'queued',
  version: 5,
  percent: 30,
  stage: 'queue',
  bytes: { received: SIZE_BYTES, total: SIZE_BYTES },
  attempt: 0,
  queuePosition: 3,
  etaMs: null,
  updatedAt: '2026-03-14T09:26:53.120Z',
  final: false,
  timedOut: false,
  links,
};

/** Progress two versions later: a worker processes the upload. */
export const PROCESSING_PROGRESS: Progress = {
  ...QUEUED_PROGRESS,
  state: 'processing',
  version: 7,
  percent: 43.5,
  stage: 'inspect',
  attempt: 1,
  queuePosition: null,
  etaMs: 1200,
  updatedAt: '2026-03-14T09:26:53.940Z',
};

/** Timeout value of a poll with `since=7`. */
export const TIMED_OUT_PROGRESS: Progress = { ...PROCESSING_PROGRESS, timedOut: true };

const COMPLETED_PROGRESS: Progress = {
  ...PROCESSING_PROGRESS,
  state: 'completed',
  version: 16,
  percent: 100,
  stage: 'done',
  etaMs: 0,
  updatedAt: '2026-03-14T09:26:55.001Z',
  final: true,
};

/** Answer of POST and PUT without a wait. */
export const QUEUED_UPLOAD: Upload = {
  id: EXAMPLE_ID,
  state: 'queued',
  version: 5,
  file: { name: 'harbour.jpg', type: 'image/jpeg', size: SIZE_BYTES, sha256: '9f2b'.repeat(16) },
  progress: QUEUED_PROGRESS,
  result: null,
  error: null,
  createdAt: '2026-03-14T09:26:52.600Z',
  updatedAt: QUEUED_PROGRESS.updatedAt,
  expiresAt: null,
  publicId: EXAMPLE_PUBLIC_ID,
  tenant: null,
  metadata: null,
  links,
};

/** The completed upload with its result. */
export const COMPLETED_UPLOAD: Upload = {
  ...QUEUED_UPLOAD,
  state: 'completed',
  version: 16,
  progress: COMPLETED_PROGRESS,
  updatedAt: COMPLETED_PROGRESS.updatedAt,
  expiresAt: '2026-03-15T09:26:55.001Z',
  result: {
    kind: 'picture',
    format: 'jpeg',
    width: 3000,
    height: 4000,
    frames: 1,
    hasAlpha: false,
    colourSpace: 'srgb',
    orientation: 6,
    takenAt: '2026-03-13T18:04:11+01:00',
    camera: 'Canon EOS R5',
    lens: 'RF24-105mm F4 L IS USM',
    exposure: { timeMs: 4, fNumber: 8, iso: 200, focalLengthMm: 35 },
    dominantColour: '#2a5d84',
    thumbhash: 'm9cJFQaHd4iHiIiId4h3d4B3eAeH',
    perceptualHash: 'd1c42f0e9a6b53e7',
    variants: [
      { name: '1600', format: 'webp', width: 1200, height: 1600, size: 214_018, url: `${links.variants}/1600` },
      { name: '640', format: 'webp', width: 480, height: 640, size: 41_220, url: `${links.variants}/640` },
      { name: '160', format: 'jpeg', width: 120, height: 160, size: 6_204, url: `${links.variants}/160` },
    ],
  },
};

/** Entry of `GET /progress` for an unknown id. */
export const UNWATCHABLE: UnwatchableUpload = {
  id: EXAMPLE_ID,
  error: problemOf('unknown_upload', 'There is no upload with this id. Check the id, or send the file.', EXAMPLE_ID),
};
