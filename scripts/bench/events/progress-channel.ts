/** Redis channels of the bare server; the upload's id follows. */
export const PROGRESS_CHANNEL = 'bench:progress:';
