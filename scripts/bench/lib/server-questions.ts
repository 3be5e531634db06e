import { collect, startHeapProfile, stopHeapProfile } from './heap-tools.ts';

/** The questions for a server process. */
export type ServerQuestions = {
  /** Resolves with the port it listens on at 127.0.0.1. */
  start(options: {
    redisUrl: string;
    directory: string;
    maxHeld: number;
    settings: Readonly<Record<string, string>>;
  }): Promise<number>;
  /** Returns how many responses it holds now. */
  held(): number | Promise<number>;
  /** Returns the processor time of the process since its start, in microseconds. */
  cpuUs(): number;
  /** Collects all garbage, and returns free memory to the system. */
  collect(): Promise<void>;
  memory(): ServerMemory;
  startHeapProfile(): Promise<void>;
  stopHeapProfile(file: string): Promise<void>;
};

/** Memory of a server, in bytes. */
export interface ServerMemory {
  /** Resident memory of the process. */
  rss: number;
  /** JavaScript objects, and memory outside of the heap that belongs to them. */
  heap: number;
}

/** The answers to questions that every server answers in the same way. */
export const OWN_USAGE = { cpuUs, collect, memory, startHeapProfile, stopHeapProfile };

function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

function memory(): ServerMemory {
  const { rss, heapUsed, external } = process.memoryUsage();
  return { rss, heap: heapUsed + external };
}
