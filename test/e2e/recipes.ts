import { readFileSync } from 'node:fs';

/** Returns the code of a document by the file name in its first line. Throws for an unknown name. */
export function recipe(name: string, document = 'docs/client.md'): string {
  const text = readFileSync(document, 'utf8');
  for (const [, code = ''] of text.matchAll(/^```\w+\n([^]*?)^```$/gm)) {
    const [first = ''] = code.split('\n');
    if (new RegExp(`^(//|<!--|/\\*) ${name.replaceAll('.', '\\.')}\\b`).test(first))
      return code.replace(/^<!-- .* -->\n/, '');
  }
  throw new Error(`${document} has no ${name}`);
}
