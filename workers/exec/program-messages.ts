import { isObject } from '../../src/kinds/own/check-definition.ts';

/** The members of a line that are understood. */
interface ProgramMessage {
  /** The finished share of the work. It is not checked yet, so it may be outside of 0 to 1. */
  readonly fraction?: number;
  /** The name of a file in the output folder. Not checked yet. */
  readonly file?: string;
  /** Media type of `file`. */
  readonly type?: string;
  readonly result?: object;
  /** Why the file cannot be processed. */
  readonly detail?: string;
}

/** Returns the message in a line of a program. Undefined for a line that is no message. */
export function readProgramMessage(line: string): ProgramMessage | undefined {
  // Cheap, because a program may print very many other lines.
  if (!/^\s*\{/.test(line)) return undefined;
  const value = parseObject(line);
  if (value === undefined) return undefined;
  const { fraction, file, type, result, error } = value;
  const message: ProgramMessage = {
    ...(typeof fraction === 'number' ? { fraction } : {}),
    ...(typeof file === 'string' ? { file } : {}),
    ...(typeof type === 'string' ? { type } : {}),
    ...(isObject(result) ? { result } : {}),
    ...(isObject(error) && typeof error['detail'] === 'string' ? { detail: error['detail'] } : {}),
  };
  return Object.keys(message).some((name) => name !== 'type') ? message : undefined;
}

function parseObject(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
