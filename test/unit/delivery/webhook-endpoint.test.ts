import '../../helpers/one-realm.ts';
import { describe, expect, test } from '@jest/globals';
import { openAccess, type Access } from '../../../src/access/access.ts';
import { parseAccessFile } from '../../../src/access/access-file.ts';
import { Tenants } from '../../../src/access/tenants.ts';
import { endpointsOf, sendsWebhooks, settingsDigest } from '../../../src/delivery/webhook-endpoint.ts';
import { ConfigError, loadConfig } from '../../../src/settings/config.ts';
import { SECRET } from '../../helpers/webhook-receiver.ts';

const OTHER_SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const URL = 'https://app.example/hooks';

async function accessOf(tenants: unknown): Promise<Access> {
  const loaded = await Tenants.from(parseAccessFile(JSON.stringify({ tenants })));
  return { mode: 'keys', tenants: loaded, close: () => undefined };
}

function mistakeIn(environment: Record<string, string>): string {
  try {
    endpointsOf(loadConfig(environment), openAccess);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return '';
}

describe('the endpoints', () => {
  test('are that of WEBHOOK_URL in open mode, for all events unless WEBHOOK_EVENTS names some', () => {
    const config = loadConfig({ WEBHOOK_URL: URL, WEBHOOK_SECRET: `${SECRET},${OTHER_SECRET}` });
    const [endpoint, ...others] = endpointsOf(config, openAccess)?.of('default') ?? [];
    expect(others).toEqual([]);
    expect(endpoint).toMatchObject({ id: 'main', url: URL, secrets: [SECRET, OTHER_SECRET] });
    expect(endpoint?.events).toHaveLength(5);
    const fewer = { WEBHOOK_URL: URL, WEBHOOK_SECRET: SECRET, WEBHOOK_EVENTS: 'upload.completed, upload.failed' };
    const [limited] = endpointsOf(loadConfig(fewer), openAccess)?.of('default') ?? [];
    expect(limited?.events).toEqual(['upload.completed', 'upload.failed']);
  });

  test('are none without WEBHOOK_URL, and then no script writes to the outbox', () => {
    expect(endpointsOf(loadConfig({}), openAccess)).toBeUndefined();
    expect(sendsWebhooks(loadConfig({}), openAccess)()).toBe(false);
    expect(sendsWebhooks(loadConfig({ WEBHOOK_URL: URL }), openAccess)()).toBe(true);
  });

  test('are those of each tenant with an access file', async () => {
    const webhooks = [{ id: 'a', url: URL, secret: SECRET, events: ['upload.deleted'] }];
    const access = await accessOf({ acme: { webhooks }, other: {} });
    const endpoints = endpointsOf(loadConfig({}), access);
    expect(endpoints?.of('acme')).toEqual([
      { tenant: 'acme', id: 'a', url: URL, secrets: [SECRET], events: ['upload.deleted'] },
    ]);
    expect([endpoints?.of('other'), endpoints?.of('nobody')]).toEqual([[], []]);
    expect(sendsWebhooks(loadConfig({}), access)()).toBe(true);
    expect(sendsWebhooks(loadConfig({}), await accessOf({ other: {} }))()).toBe(false);
  });

  test.each([
    [{ WEBHOOK_URL: URL }, 'WEBHOOK_URL needs WEBHOOK_SECRET'],
    [{ WEBHOOK_URL: 'ftp://app.example' }, 'WEBHOOK_URL must be a URL'],
    [{ WEBHOOK_URL: URL, WEBHOOK_SECRET: 'secret' }, 'WEBHOOK_SECRET'],
    [{ WEBHOOK_URL: URL, WEBHOOK_SECRET: 'whsec_c2hvcnQ=' }, 'WEBHOOK_SECRET'],
    [{ WEBHOOK_EVENTS: 'upload.done' }, 'WEBHOOK_EVENTS'],
    [{ WEBHOOK_ALLOW: 'localhost' }, 'WEBHOOK_ALLOW must be addresses'],
    [{ WEBHOOK_URL: URL, ACCESS_FILE: 'access.json' }, 'WEBHOOK_URL and ACCESS_FILE exclude each other'],
  ])('are rejected if the settings are %j', (environment, mistake) => {
    expect(mistakeIn(environment)).toContain(mistake);
    expect(mistakeIn(environment)).not.toContain('c2hvcnQ');
  });

  test('have a digest that changes with URL, secrets and events', () => {
    const endpoint = { tenant: 'a', id: 'b', url: URL, secrets: [SECRET], events: ['upload.failed'] as const };
    const digests = [
      endpoint,
      { ...endpoint, url: `${URL}?1` },
      { ...endpoint, secrets: [OTHER_SECRET] },
      { ...endpoint, events: ['upload.deleted'] as const },
    ].map(settingsDigest);
    expect(new Set(digests).size).toBe(4);
  });
});
