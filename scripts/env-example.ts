import { z } from 'zod';
import { SECTIONS, type Section } from '../src/settings/sections.ts';

const LINE_LENGTH = 118;

const HEADING = `# Copy this file to .env and change what you need. Each line shows the default of its setting.
# Names that end in _MS are in milliseconds, in _BYTES in bytes. An empty value counts as not set.
# A wrong value stops the process with one line that names the setting.
# \`npm run generate\` writes this file from src/settings; change the descriptions there.
`;

/** Returns the content of `.env.example`: every setting with its description and its default. */
export function envExample(): string {
  return [HEADING, ...SECTIONS.map(sectionLines)].join('\n');
}

function sectionLines({ title, settings }: Section): string {
  const rule = `# --- ${title} `.padEnd(78, '-');
  const lines = Object.entries(settings).flatMap(([name, schema]) => [
    ...wrapped(schema.description ?? '').map((line) => `# ${line}`),
    `${name}=${defaultOf(schema)}`,
  ]);
  return `${[rule, ...lines].join('\n')}\n`;
}

function defaultOf(schema: z.ZodType): string {
  return schema instanceof z.ZodPrefault ? String(schema.def.defaultValue) : '';
}

function wrapped(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < LINE_LENGTH) lines.splice(-1, 1, `${last} ${word}`);
    else lines.push(word);
  }
  return lines;
}
