export const projectRoot: string;

export const cacheDirectory: string;

export const setupLockFile: string;
