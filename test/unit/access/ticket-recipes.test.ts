import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAccessFile } from '../../../src/access/access-file.ts';
import { Tenants } from '../../../src/access/tenants.ts';
import { checkTicket } from '../../../src/access/tickets.ts';
import { newTicketKey } from '../../../scripts/access-keys.mjs';

const DOCUMENT = readFileSync('docs/access.md', 'utf8');

/** The file of each recipe, and the program that runs it. */
const RECIPES = [
  { language: 'node', fence: 'js', file: 'ticket.mjs', command: [process.execPath], probe: '--version' },
  { language: 'python3', fence: 'python', file: 'ticket.py', command: ['python3'], probe: '--version' },
  { language: 'php', fence: 'php', file: 'ticket.php', command: ['php'], probe: '--version' },
  { language: 'go', fence: 'go', file: 'ticket.go', command: ['go', 'run'], probe: 'version' },
  { language: 'java', fence: 'java', file: 'Ticket.java', command: ['java'], probe: '-version' },
] as const;

type Recipe = (typeof RECIPES)[number];

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'du-recipes-'));
});
afterAll(async () => {
  await rm(directory, { recursive: true });
});

function isInstalled({ command: [program], probe }: Recipe): boolean {
  return spawnSync(program, [probe]).status === 0;
}

function codeOf({ fence, file }: Recipe): string {
  const blocks = [...DOCUMENT.matchAll(/^```(\w+)\n([^]*?)^```$/gm)];
  const code = blocks.find(([, language, text = '']) => language === fence && text.includes(`${file}:`))?.[2];
  if (code === undefined) throw new Error(`docs/access.md has no ${file}`);
  return code;
}

/** Runs the recipe with a key, and returns the parts of the ticket that it prints. */
async function sign(recipe: Recipe, key: { kid: string; secret: string }) {
  const path = join(directory, recipe.file);
  await writeFile(path, codeOf(recipe));
  const [program, ...given] = recipe.command;
  const { stdout, stderr } = spawnSync(program, [...given, path], {
    encoding: 'utf8',
    cwd: directory,
    env: { ...process.env, NODE_OPTIONS: '', TICKET_KID: key.kid, TICKET_SECRET: key.secret },
  });
  expect(stdout).toMatch(/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\r?\n$/);
  expect(stderr).toBe('');
  const [header = '', claims = '', signature = ''] = stdout.trim().split('.');
  return { header: parsed(header), claims: parsed(claims), signed: `${header}.${claims}`, signature };
}

function parsed(part: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>;
}

describe('a ticket that a recipe of the documentation signs', () => {
  for (const recipe of RECIPES) {
    const { language } = recipe;
    if (!isInstalled(recipe)) {
      test.skip(`skipped: ${language} is not installed`, () => undefined);
      continue;
    }
    test(`is valid if it comes from ${language}`, async () => {
      const key = { ...newTicketKey('acme'), secret: randomBytes(33).toString('base64url') };
      const nowSeconds = Date.now() / 1000;
      const { header, claims, signed, signature } = await sign(recipe, key);
      expect(header).toEqual({ alg: 'HS256', typ: 'JWT', kid: key.kid });
      const mac = createHmac('sha256', Buffer.from(key.secret, 'base64url')).update(signed).digest('base64url');
      expect(signature).toBe(mac);
      const { iat, exp, jti, ...rest } = claims;
      expect(rest).toEqual({
        aud: 'deferred-uploads',
        upload: { maxFiles: 10, types: ['image/*'], metadata: { album: 'Ümit' } },
      });
      expect(Number(iat)).toBeGreaterThan(nowSeconds - 2);
      expect(Number(exp) - Number(iat)).toBe(600);
      expect(String(jti).length).toBeGreaterThan(15);
      const acme = { tickets: [{ kid: key.kid, alg: 'HS256', secret: key.secret }] };
      const tenants = await Tenants.from(parseAccessFile(JSON.stringify({ tenants: { acme } })));
      const checked = await checkTicket(tenants, `${signed}.${signature}`, Date.now());
      expect(checked).toMatchObject({ tenant: { name: 'acme' }, jti, isExpired: false });
    });
  }
});
