import type { z } from 'zod';
import { ServiceError } from '../errors.ts';
import { faultOf } from './schema-faults.ts';

/** Checks a body of JSON. Throws `bad_request` (400), which names the first wrong member. */
export function parseBody<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body, { error: faultOf });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const place = issue?.path.map(String).join('.') ?? '';
  throw new ServiceError(
    'bad_request',
    `${place === '' ? 'The body' : `The member ${place}`} ${issue?.message ?? 'is wrong'}.`,
  );
}
