/** What packages with native code are made for. */
export interface Platform {
  readonly os: string;
  readonly cpu: string;
  /** `glibc` or `musl` on Linux, else empty. */
  readonly libc: string;
}

/** What an entry of package-lock.json says about that. */
export interface Requirements {
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
}

export function currentPlatform(): Platform;

export function isForPlatform(requirements: Requirements, platform: Platform): boolean;
