/** Returns the number of held responses of all routes in a text of `/metrics`. */
export function heldInMetrics(text: string): number {
  const values = [...text.matchAll(/^deferred_uploads_held\{[^}]*\} (\d+)$/gm)];
  return values.reduce((sum, [, value]) => sum + Number(value), 0);
}
