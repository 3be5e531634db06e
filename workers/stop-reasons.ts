/** Why an attempt is stopped from outside: the upload is no longer its own. */
export const SUPERSEDED = new Error('the upload was cancelled or taken over');

/** The process stops: the upload is requeued. */
export const STOPPING = new Error('this worker stops');

/** The attempt has taken longer than it may. */
export const TIMED_OUT = new Error('the attempt took too long');
