import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { faultOf } from '../../wire/schema-faults.ts';
import { KIND_NAME, MEDIA_TYPE } from './check-definition.ts';

const MIB = 1024 * 1024;
const DAY_MS = 86_400_000;

/** The manifest of a program that processes one kind of file. */
const execManifestSchema = z.strictObject({
  name: z.string().regex(KIND_NAME, 'must be 1 to 32 lower-case letters, digits or hyphens, a letter first'),
  types: z
    .array(z.string().regex(MEDIA_TYPE, 'must be a media type in lower case, such as application/pdf'))
    .min(1, 'must have at least one media type'),
  /** Program and arguments. A path is relative to the folder of the manifest, a bare name is searched in `PATH`. */
  command: z.array(z.string().regex(/^[^\0]+$/, 'must not be empty')).min(1, 'must have at least the program'),
  timeoutMs: z.int().min(100).max(DAY_MS).default(60_000),
  maxMemoryBytes: z
    .int()
    .min(16 * MIB)
    .default(1024 * MIB),
  maxOutputBytes: z
    .int()
    .min(1024)
    .default(512 * MIB),
});

/** A manifest, and the folder that its paths are relative to. */
export interface ExecManifest extends z.infer<typeof execManifestSchema> {
  readonly folder: string;
}

/** Reads a manifest. Throws an error whose message lists all mistakes. */
export function readExecManifest(path: string): ExecManifest {
  const parsed = execManifestSchema.safeParse(readJson(path), { error: faultOf });
  if (parsed.success) return { ...parsed.data, folder: dirname(path) };
  const mistakes = parsed.error.issues.map((issue) => [issue.path.join('.'), issue.message].join(' ').trim());
  throw new Error(mistakes.join('; '));
}

function readJson(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    throw new Error('the manifest cannot be read');
  }
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    throw new Error('the manifest is not JSON');
  }
}
