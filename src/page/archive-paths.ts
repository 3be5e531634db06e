/** The server's limit for one archive. */
const MAX_UPLOADS = 100;

/** Returns the addresses of the zip files that contain the originals of all uploads. They contain secret ids. */
export function archivePaths(ids: readonly string[], base: string): string[] {
  const archives = Math.ceil(ids.length / MAX_UPLOADS);
  return Array.from({ length: archives }, (_, index) => {
    const some = ids.slice(index * MAX_UPLOADS, (index + 1) * MAX_UPLOADS);
    return `${base}/archive?${some.map((id) => `upload=${id}`).join('&')}`;
  });
}
