import { readFileSync } from 'node:fs';

/** The code of a document by the file names in its first lines; throws for a name that is not there. */
export function recipe(name: string, document = 'docs/client.md'): string {
  const text = readFileSync(document, 'utf8');
  for (const [, code = ''] of text.matchAll(/^```\w+\n([^]*?)^```$/gm)) {
    const [first = ''] = code.split('\n');
    if (new RegExp(`^(//|<!--|/\\*) ${name.replaceAll('.', '\\.')}\\b`).test(first))
      return code.replace(/^<!-- .* -->\n/, '');
  }
  throw new Error(`${document} has no ${name}`);
}
