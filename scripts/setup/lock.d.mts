export function tryLock(file: string): { release: () => void } | { holderPid: number };

export function withLock<T>(file: string, onWait: (holderPid: number) => void, work: () => Promise<T>): Promise<T>;
