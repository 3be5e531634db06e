/** A reason to stop that the user can fix. It is printed as one line, without a stack. */
export class SetupError extends Error {
  /**
   * @param {string} message
   * @param {number} [exitCode] exit code of the process
   */
  constructor(message, exitCode = 1) {
    super(message);
    this.name = 'SetupError';
    this.exitCode = exitCode;
  }
}

const DENIED = ['EACCES', 'EPERM', 'EROFS'];

/**
 * Returns the path that this user may not use, if the error names one.
 *
 * @param {unknown} error
 * @returns {string | undefined}
 */
export function deniedPath(error) {
  if (!(error instanceof Error)) return undefined;
  const { code, path } = /** @type {NodeJS.ErrnoException} */ (error);
  return code !== undefined && DENIED.includes(code) ? path : undefined;
}
