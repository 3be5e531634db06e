import type { Machine } from './system-packages.mjs';

export type RedisSource = 'private-copy' | 'system-package';

export function redisSources(machine: Machine): RedisSource[];

export function redisAdvice(machine: Machine): string;

export function parseServerVersion(output: string): string | undefined;

export function isRecentEnough(version: string): boolean;

export function parseSimulatedInstall(output: string): string[];
