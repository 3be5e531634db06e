/** With these answers the server does not have the upload any more. */
const ABSENT_STATUSES: ReadonlySet<number> = new Set([404, 410]);

/** Deletes the upload and its files on the server, also while the page is being closed. False if that failed. */
export async function deleteUpload(id: string, base: string): Promise<boolean> {
  try {
    const response = await fetch(`${base}/uploads/${id}`, { method: 'DELETE', keepalive: true });
    return response.ok || ABSENT_STATUSES.has(response.status);
  } catch {
    return false;
  }
}
