const ROOT_UID = 0;

/** Logs one line if this process runs as root. */
export function warnOfRoot(log: { warn(fields: object, message: string): void }, uid = process.getuid?.()): void {
  if (uid !== ROOT_UID) return;
  log.warn({ advice: 'run it as a separate user that owns ./data' }, 'running as root');
}
