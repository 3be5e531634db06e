import { z } from 'zod';

/** Maximum number of uploads in one archive. */
export const MAX_ARCHIVE_UPLOADS = 100;

/** The uploads of one archive, as they are sent. */
export const archiveUploadsSchema = z.array(z.string()).min(1).max(MAX_ARCHIVE_UPLOADS);

/** Which files of the uploads an archive contains. */
export const archiveContentSchema = z.enum(['original', 'variants']);
