/** Sets the variables of a file that are not set yet. A missing file is no error. */
export function loadDotEnv(file: string, environment?: Record<string, string | undefined>): void;
