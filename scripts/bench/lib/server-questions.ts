import { collect, startHeapProfile, stopHeapProfile } from './heap-tools.ts';

/** What a server process is asked; each server is a child of its own. */
export type ServerQuestions = {
  /** Resolves with the port it listens on at 127.0.0.1. */
  start(options: {
    redisUrl: string;
    directory: string;
    maxHeld: number;
    settings: Readonly<Record<string, string>>;
  }): Promise<number>;
  /** How many responses it holds now. */
  held(): number | Promise<number>;
  /** Processor time since its start, in microseconds. */
  cpuUs(): number;
  /** Collects all garbage, and gives free memory back to the system. */
  collect(): Promise<void>;
  memory(): ServerMemory;
  startHeapProfile(): Promise<void>;
  stopHeapProfile(file: string): Promise<void>;
};

/** In bytes. */
export interface ServerMemory {
  /** What the process has of the machine's memory. */
  rss: number;
  /** JavaScript objects, and what hangs on them outside of the heap. */
  heap: number;
}

/** The answers that are the same for every server: it spreads them into its own. */
export const OWN_USAGE = { cpuUs, collect, memory, startHeapProfile, stopHeapProfile };

function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

function memory(): ServerMemory {
  const { rss, heapUsed, external } = process.memoryUsage();
  return { rss, heap: heapUsed + external };
}
