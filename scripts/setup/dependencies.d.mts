import type { Platform, Requirements } from './platform.mjs';

export interface LockFile {
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

export interface LockedPackage extends Requirements {
  readonly version?: string;
  readonly integrity?: string;
  readonly optional?: boolean;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
}

export function ensureDependencies(say: (line: string) => void, needed: { development: boolean }): Promise<void>;

export function isInStep(
  lock: LockFile,
  installed: LockFile,
  needed: { readonly development: boolean; readonly platform: Platform },
): boolean;

export function hasDevelopmentPackages(installed: LockFile | undefined): boolean;
