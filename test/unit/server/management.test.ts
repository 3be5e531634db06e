import { describe, expect, test } from '@jest/globals';
import { request } from 'node:http';
import { pino } from 'pino';
import { openManagement, type Management } from '../../../src/server/management.ts';
import { loadConfig } from '../../../src/settings/config.ts';

const LOG = pino({ level: 'silent' });

const ROUTES = {
  checkReady: async () => undefined,
  countWorkers: async () => 3,
  metrics: { contentType: 'text/plain; charset=utf-8', text: async () => 'deferred_uploads_held 0\n' },
  openApi: () => ({ openapi: '3.1.0' }),
};

async function openOrFail(environment: Record<string, string>): Promise<Management> {
  const management = await openManagement(loadConfig(environment), ROUTES, LOG);
  if (management === undefined) throw new Error('no server was started');
  return management;
}

/** Returns the status of a request with this `Host`, which `fetch` does not let a test choose. */
async function statusFor(url: string, host: string): Promise<number | undefined> {
  return await new Promise((resolve, reject) => {
    request(`${url}/metrics`, { headers: { Host: host }, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on('error', reject)
      .end();
  });
}

describe('the management server', () => {
  test('is not started if the main address serves everything', async () => {
    expect(await openManagement(loadConfig({}), ROUTES, LOG)).toBeUndefined();
  });

  test('serves metrics, the API reference and health with details, and nothing else', async () => {
    const management = await openOrFail({ MANAGEMENT_PORT: '0' });
    try {
      const ask = async (path: string, method = 'GET') => {
        const response = await fetch(management.url + path, { method });
        return [response.status, await response.text()];
      };
      expect(await ask('/metrics')).toEqual([200, 'deferred_uploads_held 0\n']);
      expect(await ask('/readyz')).toEqual([200, '{"status":"ready","workers":3}']);
      expect(await ask('/healthz')).toEqual([200, '{"status":"ok"}']);
      expect(await ask('/openapi.json')).toEqual([200, '{"openapi":"3.1.0"}']);
      expect((await ask('/'))[0]).toBe(404);
      expect((await ask('/uploads', 'POST'))[0]).toBe(404);
      expect((await ask('/metrics', 'POST'))[0]).toBe(405);
    } finally {
      management.close();
    }
  });

  test('rejects a request for a foreign host name (421)', async () => {
    const management = await openOrFail({ MANAGEMENT_PORT: '0' });
    try {
      expect(await statusFor(management.url, 'rebind.example')).toBe(421);
      expect(await statusFor(management.url, 'localhost')).toBe(200);
    } finally {
      management.close();
    }
  });

  test('names MANAGEMENT_PORT if another process has the port', async () => {
    const first = await openOrFail({ MANAGEMENT_PORT: '0' });
    try {
      await expect(openOrFail({ MANAGEMENT_PORT: new URL(first.url).port })).rejects.toThrow(
        /^MANAGEMENT_PORT is in use by another process/,
      );
    } finally {
      first.close();
    }
  });
});
