import { describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { signatureHeaders } from '../../../src/delivery/signature.ts';

const SECRET = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
const OTHER_SECRET = `whsec_${Buffer.alloc(32, 2).toString('base64')}`;
const BODY = '{"type":"upload.completed","data":{"file":{"name":"é.jpg"}}}';
const page = readFileSync('docs/webhooks.md', 'utf8');

/** Returns the only code block of a language. */
function recipe(language: string): string {
  const [block, ...others] = [...page.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms'))];
  expect(others).toEqual([]);
  return block?.[1] ?? '';
}

/** Each reads `[headers, body, secret]` from standard input and prints the type of the event. */
const PROGRAMS = {
  js: [
    'node',
    '--input-type=module',
    '--eval',
    `${recipe('js')}
     import { text } from 'node:stream/consumers';
     const [headers, body, secret] = JSON.parse(await text(process.stdin));
     console.log(verifyWebhook(headers, body, secret).type);`,
  ],
  python: [
    'python3',
    '-c',
    `${recipe('python')}
import sys
headers, body, secret = json.loads(sys.stdin.buffer.read())
print(verify_webhook(headers, body.encode(), secret)["type"])`,
  ],
};

function run(language: keyof typeof PROGRAMS, input: unknown): { output: string; error: string } {
  const [command = '', ...args] = PROGRAMS[language];
  const { stdout, stderr } = spawnSync(command, args, { input: JSON.stringify(input), encoding: 'utf8' });
  return { output: stdout.trim(), error: stderr };
}

const hasPython = spawnSync('python3', ['--version']).status === 0;

describe.each(['js', ...(hasPython ? ['python'] : [])] as (keyof typeof PROGRAMS)[])('the recipe in %s', (language) => {
  const headers = signatureHeaders({ id: 'a.1', body: BODY }, [OTHER_SECRET, SECRET], Date.now());

  test('accepts a request that one of the secrets has signed', () => {
    expect(run(language, [headers, BODY, SECRET])).toEqual({ output: 'upload.completed', error: '' });
  });

  test.each([
    ['another body', [headers, BODY.replace('é', 'e'), SECRET], 'wrong signature'],
    ['another secret', [headers, BODY, `whsec_${'A'.repeat(32)}`], 'wrong signature'],
    ['no signature', [{ ...headers, 'webhook-signature': '' }, BODY, SECRET], 'wrong signature'],
    ['an old time', [signatureHeaders({ id: 'a.1', body: BODY }, [SECRET], 0), BODY, SECRET], 'too old'],
  ])('rejects %s', (_name, input, reason) => {
    expect(run(language, input).error).toContain(reason);
  });
});
