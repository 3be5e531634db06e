import type { AnyResult } from '../processor.ts';

/** The maximum size of a result, which Redis keeps in the record of the upload. */
const MAX_RESULT_BYTES = 256 * 1024;

/** The maximum depth of a result. Code that walks much deeper values would overflow the stack. */
const MAX_DEPTH = 64;

/** Makes the result of a processor of somebody else. Throws if the value is no JSON object of a reasonable size. */
export function jsonResult(kind: string, value: unknown): AnyResult {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error(`the processor ${kind} ended without a result; it must be an object`);
  const json = JSON.stringify(value);
  if (Buffer.byteLength(json) > MAX_RESULT_BYTES)
    throw new Error(`the result of the processor ${kind} has more than ${MAX_RESULT_BYTES} bytes of JSON`);
  const plain: unknown = JSON.parse(json);
  if (depthOf(plain) > MAX_DEPTH)
    throw new Error(`the result of the processor ${kind} is nested deeper than ${MAX_DEPTH} levels`);
  if (typeof plain !== 'object' || plain === null) throw new Error(`the result of the processor ${kind} is no object`);
  return { ...plain, kind };
}

/** Returns the depth of a value. It walks level by level, because recursion would overflow the stack. */
function depthOf(value: unknown): number {
  let level = [value];
  for (let depth = 0; ; depth += 1) {
    level = level.flatMap((item) =>
      typeof item === 'object' && item !== null ? (Object.values(item) as unknown[]) : [],
    );
    if (level.length === 0 || depth > MAX_DEPTH) return depth;
  }
}
