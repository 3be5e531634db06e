import { readFileSync } from 'node:fs';

/** The code of docs/client.md by the file names in its first lines; throws for a name that is not there. */
export function recipe(name: string): string {
  const text = readFileSync('docs/client.md', 'utf8');
  for (const [, code = ''] of text.matchAll(/^```\w+\n([^]*?)^```$/gm)) {
    const [first = ''] = code.split('\n');
    if (new RegExp(`^(//|<!--) ${name.replaceAll('.', '\\.')}\\b`).test(first)) return code.replace(/^<!-- .* -->\n/, '');
  }
  throw new Error(`docs/client.md has no ${name}`);
}
