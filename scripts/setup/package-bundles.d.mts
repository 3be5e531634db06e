import type { build as esbuild } from 'esbuild';

export function bundlePackages(directory: string, previous: string, build: typeof esbuild): Promise<void>;

export function bundledPackages(): string[];
