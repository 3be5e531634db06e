/** Returns the directory of the setting `STORAGE`. Undefined for a bucket. */
export function directoryOf(storage: string): string | undefined {
  return storage.startsWith('s3:') ? undefined : storage.replace(/^file:(\/\/)?/, '');
}
