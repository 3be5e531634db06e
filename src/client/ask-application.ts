import { clientError, UploadError } from './upload-error.ts';

/**
 * Calls a function of the application. If it throws a TypeError, as `fetch` does without a connection, rejects with
 * `connection_lost`, so that a retry can help. Any other error becomes `ticket_unavailable`.
 */
export async function askApplication<T>(ask: () => T | Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof UploadError) throw error;
    throw clientError(error instanceof TypeError ? 'connection_lost' : 'ticket_unavailable', error);
  }
}
