/** The platform for which packages with native code are made. */
export interface Platform {
  readonly os: string;
  readonly cpu: string;
  /** `glibc` or `musl` on Linux, otherwise empty. */
  readonly libc: string;
}

/** The platforms that an entry of package-lock.json names. */
export interface Requirements {
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
}

export function currentPlatform(): Platform;

export function isForPlatform(requirements: Requirements, platform: Platform): boolean;
