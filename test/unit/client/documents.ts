import type { CompletedUpload } from '../../../src/client/upload-handle.ts';
import type { Problem, Progress, Upload, Variant } from '../../../src/wire/documents.ts';

const AT = '2026-03-14T09:26:53.000Z';

/** Returns the progress of an upload whose first byte has arrived. */
export function freshProgress(id: string, patch: Partial<Progress> = {}): Progress {
  const self = `/uploads/${id}`;
  return {
    id,
    state: 'receiving',
    version: 1,
    percent: 0,
    stage: 'receive',
    bytes: { received: 0, total: null },
    attempt: 0,
    queuePosition: null,
    etaMs: null,
    updatedAt: AT,
    final: false,
    timedOut: false,
    links: {
      self,
      progress: `${self}/progress`,
      result: `${self}/result`,
      events: `${self}/events`,
      cancel: `${self}/cancel`,
      variants: `/variants/public-${id}`,
      content: `${self}/content`,
    },
    ...patch,
  };
}

/** Returns an upload at version 0. Its first change makes it version 1. */
export function freshUpload(id: string): Upload {
  const progress = freshProgress(id, { version: 0 });
  return {
    id,
    state: progress.state,
    version: 0,
    file: { name: 'photo.jpg', type: 'image/jpeg', size: 3_400_000, sha256: null },
    progress,
    result: null,
    error: null,
    createdAt: AT,
    updatedAt: AT,
    expiresAt: null,
    publicId: `public-${id}`,
    tenant: null,
    metadata: null,
    links: progress.links,
  };
}

/** Returns the same upload with the result of a photo. */
export function completedUpload(upload: Upload): CompletedUpload {
  const variant = (name: string, longest: number, format: string): Variant => ({
    name,
    format,
    width: longest,
    height: Math.round(longest * 0.75),
    size: longest * 150,
    url: `${upload.links.variants}/${name}`,
  });
  return {
    ...upload,
    state: 'completed',
    result: {
      kind: 'picture',
      format: 'jpeg',
      width: 4032,
      height: 3024,
      frames: 1,
      hasAlpha: false,
      colourSpace: 'srgb',
      orientation: 1,
      takenAt: '2025-06-21T18:04:11+02:00',
      camera: 'Fujifilm X-T5',
      dominantColour: '#4f7f8c',
      thumbhash: '3OcRJYB4d3h/iIeHeEh3eIhw+j3A',
      lens: null,
      exposure: null,
      perceptualHash: 'd1c42f0e9a6b53e7',
      variants: [variant('1600', 1600, 'webp'), variant('640', 640, 'webp'), variant('160', 160, 'jpeg')],
    },
  };
}

/** Returns a problem document. */
export function problem(code: string, status: number, detail: string, patch: Partial<Problem> = {}): Problem {
  return { type: 'about:blank', title: code.replaceAll('_', ' '), status, detail, code, ...patch };
}
