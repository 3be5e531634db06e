/** A reason to stop that a person can act on: printed as one line, without a stack. */
export class SetupError extends Error {
  /**
   * @param {string} message
   * @param {number} [exitCode] of the process that gives up
   */
  constructor(message, exitCode = 1) {
    super(message);
    this.name = 'SetupError';
    this.exitCode = exitCode;
  }
}

const DENIED = ['EACCES', 'EPERM', 'EROFS'];

/**
 * The path that this user may not use, if that is what the error says.
 *
 * @param {unknown} error
 * @returns {string | undefined}
 */
export function deniedPath(error) {
  if (!(error instanceof Error)) return undefined;
  const { code, path } = /** @type {NodeJS.ErrnoException} */ (error);
  return code !== undefined && DENIED.includes(code) ? path : undefined;
}
