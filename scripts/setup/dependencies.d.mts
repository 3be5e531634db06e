export interface LockFile {
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

export interface LockedPackage {
  readonly version?: string;
  readonly integrity?: string;
  readonly optional?: boolean;
}

export function ensureDependencies(say: (line: string) => void): Promise<void>;

export function isInStep(lock: LockFile, installed: LockFile): boolean;
