import type { BuildTarget } from './build.mjs';

export function isFresh(target: BuildTarget): boolean;

export function hasSources(target: BuildTarget): boolean;

export function beginStamp(target: BuildTarget, directory: string): () => void;
