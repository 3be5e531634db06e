/**
 * Environment variables of an API process. libuv has 4 threads for files by default. They wait for the disk while they
 * sync, and then the writes of all other uploads wait for them.
 */
export const API_THREADS: Readonly<Record<string, string>> = { UV_THREADPOOL_SIZE: '16' };
