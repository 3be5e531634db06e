/** The beginning of the Redis channels of the bare server. The id of the upload follows. */
export const PROGRESS_CHANNEL = 'bench:progress:';
