/** Another attempt or request has the upload, or it was cancelled. */
export const SUPERSEDED = new Error('the upload was cancelled or taken over');

/** The process stops, so the upload is requeued. */
export const STOPPING = new Error('this worker stops');

/** The attempt has exceeded its time limit. */
export const TIMED_OUT = new Error('the attempt took too long');
