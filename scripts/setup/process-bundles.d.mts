import type { build as esbuild } from 'esbuild';

export function bundleProcesses(directory: string, build: typeof esbuild): Promise<void>;

export function bundledProcesses(): string[];
