import Router from '@koa/router';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ServiceError } from '../../../src/errors.ts';
import { methodNotAllowed } from '../../../src/http/method-not-allowed.ts';
import { problemResponses } from '../../../src/http/problem.ts';
import type { ListedUploads, ListPlace } from '../../../src/record/tenant-uploads.ts';
import { tenantRoutes, type TenantRouteParts } from '../../../src/routes/tenant-routes.ts';
import type { UploadPage, Usage } from '../../../src/wire/documents.ts';
import { silentLog } from '../../helpers/record-space.ts';
import { routesOf, serve, type Served } from '../http/serve.ts';
import { ID, recordOf } from '../record/states.ts';

const USE = { waiting: 1, receiving: 2, uploadsPerDay: 3, bytesPerDay: 4, storedBytes: 5, createPerMinute: 6 };
const PLACE: ListPlace = { createdAtMs: 1_773_480_412_600, id: ID };

let served: Served;
let asked: ListedUploads[];
let next: ListPlace | undefined;

async function open(needKeys: boolean): Promise<void> {
  const router = new Router({ strict: true });
  const parts: TenantRouteParts = {
    callers: {
      needKeys,
      ofApiKey(ctx) {
        if (ctx.get('Authorization') !== 'Bearer key') throw new ServiceError('unauthorized', 'No key.');
        return { tenant: { name: 'acme', limits: { waiting: 5 } } };
      },
    },
    tenantUploads: {
      async list(wanted) {
        asked.push(wanted);
        return { reads: [{ record: recordOf({ tenant: 'acme' }), queuePosition: null, nowMs: 0 }], next };
      },
    },
    readUse: async () => [USE],
  };
  tenantRoutes(router, parts);
  router.post('/uploads', (ctx) => {
    ctx.body = '';
  });
  served = await serve(problemResponses(silentLog), routesOf(router), methodNotAllowed());
}

beforeEach(async () => {
  asked = [];
  next = undefined;
  await open(true);
});
afterEach(async () => {
  await served.close();
});

const get = async (path: string, key = 'key') =>
  await fetch(served.url + path, { headers: { Authorization: `Bearer ${key}` } });

async function bodyOf<T>(response: Response): Promise<T> {
  return (await response.json()) as T;
}

describe('the list of uploads', () => {
  test('has all uploads of the tenant by default, at most 100', async () => {
    const response = await get('/uploads');
    expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(await bodyOf<UploadPage>(response)).toMatchObject({ uploads: [{ id: ID, tenant: 'acme' }], next: null });
    expect(asked).toEqual([{ tenant: 'acme', state: undefined, sinceMs: undefined, after: undefined, limit: 100 }]);
  });

  test('continues after the cursor that it returned, with the same filters', async () => {
    next = PLACE;
    const first = await bodyOf<UploadPage>(await get('/uploads?limit=1'));
    await get(`/uploads?state=failed&since=2026-03-14T10:26:52.600%2B01:00&limit=7&cursor=${first.next ?? ''}`);
    expect(asked[1]).toEqual({ tenant: 'acme', state: 'failed', sinceMs: PLACE.createdAtMs, after: PLACE, limit: 7 });
  });

  test('treats an empty parameter like a missing one', async () => {
    expect((await get('/uploads?state=&since=&cursor=&limit=')).status).toBe(200);
    expect(asked).toHaveLength(1);
  });

  const cursor = (text: string) => Buffer.from(text).toString('base64url');
  test.each([
    ['state', 'done'],
    ['state', 'failed&state=queued'],
    ['since', 'yesterday'],
    ['since', '2026-03-14'],
    ['since', '2026-03-14T09:26:53'],
    ['since', '1773480412600'],
    ['limit', '0'],
    ['limit', '101'],
    ['limit', '1.5'],
    ['limit', '-1'],
    ['limit', '1e1'],
    ['cursor', 'x'],
    ['cursor', cursor(`-1.${ID}`)],
    ['cursor', cursor('1.x')],
    ['cursor', `${cursor(`1.${ID}`)}=`],
    ['cursor', cursor(`1.${ID}\n`)],
  ])('rejects a wrong %s (%s)', async (name, value) => {
    const response = await get(`/uploads?${name}=${value}`);
    expect([response.status, await bodyOf<unknown>(response), asked]).toMatchObject([
      400,
      { code: 'bad_request', detail: expect.stringContaining(`"${name}"`) },
      [],
    ]);
  });

  test('needs an API key', async () => {
    expect((await get('/uploads', 'ticket')).status).toBe(401);
    expect((await get('/usage', 'ticket')).status).toBe(401);
    expect(asked).toEqual([]);
  });
});

describe('the usage', () => {
  test('has every limit, null if there is none, and the use by the same names', async () => {
    const response = await get('/usage');
    expect(await bodyOf<Usage>(response)).toEqual({
      tenant: 'acme',
      limits: {
        waiting: 5,
        receiving: null,
        uploadsPerDay: null,
        bytesPerDay: null,
        storedBytes: null,
        createPerMinute: null,
      },
      use: USE,
    });
  });
});

test('open mode has neither the list nor the usage', async () => {
  await served.close();
  await open(false);
  const list = await get('/uploads');
  expect([list.status, list.headers.get('allow'), (await get('/usage')).status]).toEqual([405, 'POST, OPTIONS', 404]);
});
