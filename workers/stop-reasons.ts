/** The reason of the signal if another attempt or request has the upload, or if it was cancelled. */
export const SUPERSEDED = new Error('the upload was cancelled or taken over');

/** The reason of the signal if the process stops. The upload is requeued. */
export const STOPPING = new Error('this worker stops');

/** The reason of the signal if the attempt has exceeded its time limit. */
export const TIMED_OUT = new Error('the attempt took too long');
