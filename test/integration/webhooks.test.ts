import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DeliveryList, Problem, Upload } from '../../src/wire/documents.ts';
import { deliveryListSchema, webhookSchema } from '../../src/wire/webhook-schemas.ts';
import { getJson, putFile } from '../helpers/client.ts';
import { eventually } from '../helpers/eventually.ts';
import { photo } from '../helpers/pictures.ts';
import { putInHalves } from '../helpers/put-in-halves.ts';
import {
  openSpanRecorder,
  spansBelowRequest,
  type RecordedSpan,
  type SpanRecorder,
} from '../helpers/recorded-spans.ts';
import { startService, type Service } from '../helpers/service.ts';
import { isSigned, SECRET, startReceiver, type Received, type WebhookReceiver } from '../helpers/webhook-receiver.ts';
import { heldInMetrics } from '../helpers/held-in-metrics.ts';

const TOKEN = 'a-token-of-operators';
const BEARER = { Authorization: `Bearer ${TOKEN}` };

let service: Service;
let receiver: WebhookReceiver;
let recorder: SpanRecorder;
let bytes: Buffer;

beforeAll(async () => {
  [receiver, bytes] = await Promise.all([startReceiver(), photo({ width: 40, height: 30 })]);
  recorder = openSpanRecorder();
  const env = {
    ...recorder.env,
    OPERATORS_TOKEN: TOKEN,
    MOUNT_PATH: '/media',
    RESUMABLE_UPLOADS: 'on',
    WEBHOOK_URL: receiver.url,
    WEBHOOK_SECRET: SECRET,
    WEBHOOK_ALLOW: '127.0.0.0/8',
  };
  service = await startService({ env });
});

afterAll(async () => {
  await service.stop();
  await receiver.close();
  recorder.remove();
});

async function webhooksOf(id: string, count: number): Promise<Received[]> {
  return await eventually(`${count} webhooks of an upload`, () => {
    const found = receiver.received.filter(({ webhook }) => webhook.data.id === id);
    return found.length >= count && found;
  });
}

async function upload(content = bytes): Promise<string> {
  const id = randomUUID();
  await putFile(service.url, id, content, 'a.jpg');
  return id;
}

async function deliveries(state: string): Promise<DeliveryList> {
  const { status, body } = await getJson<DeliveryList>(`${service.url}/operators/deliveries?state=${state}`, BEARER);
  expect([status, deliveryListSchema.safeParse(body).error]).toEqual([200, undefined]);
  return body;
}

async function replay(id: string): Promise<number> {
  const path = `/operators/deliveries/${id}/replay`;
  return (await fetch(service.url + path, { method: 'POST', headers: BEARER })).status;
}

describe('the trace of an upload', () => {
  const TRACE = '0af7651916cd43dd8448eb211c80319c';
  const CLIENT_SPAN = 'b7ad6b7169203331';

  /** Returns all spans of a trace when the outermost ones of each process have ended. */
  async function spansOf(traceId: string): Promise<RecordedSpan[]> {
    const outermost = ['PUT /uploads/:id', 'attempt', 'webhook'];
    return await eventually(`the spans ${outermost.join(', ')}`, () => {
      const found = recorder.spans().filter((span) => span.traceId === traceId);
      return outermost.every((name) => found.some((span) => span.name === name)) && found;
    });
  }

  test('leads from the request of the client through API and worker process to the webhook', async () => {
    receiver.answer = (response) => response.writeHead(204).end();
    const id = randomUUID();
    const headers = { traceparent: `00-${TRACE}-${CLIENT_SPAN}-01` };
    await putFile(service.url, id, bytes, 'a.jpg', '', headers);
    const [sent] = await webhooksOf(id, 1);
    const spans = await spansOf(TRACE);
    const nameOf = new Map(spans.map(({ spanId, name }) => [spanId, name]));
    const tree = new Set(spans.map(({ name, parentId }) => `${nameOf.get(parentId ?? '') ?? parentId} > ${name}`));
    expect([...tree].sort()).toEqual(
      [
        'PUT /uploads/:id > enqueue',
        'PUT /uploads/:id > receive',
        'attempt > step decode',
        'attempt > step inspect',
        'attempt > step variants',
        'attempt > storage commit',
        'attempt > storage create',
        'attempt > storage open',
        'attempt > storage stat',
        `${CLIENT_SPAN} > PUT /uploads/:id`,
        'enqueue > attempt',
        'enqueue > queue wait',
        'enqueue > webhook',
        'receive > store',
      ].sort(),
    );
    const pidOf = (name: string) => spans.find((span) => span.name === name)?.pid;
    expect([pidOf('receive'), pidOf('attempt')]).toEqual([service.apis[0]?.child.pid, service.workers[0]?.child.pid]);
    const webhook = spans.find(({ name }) => name === 'webhook');
    expect(sent?.headers['traceparent']).toBe(`00-${TRACE}-${webhook?.spanId}-01`);
    expect(webhook?.attributes).toMatchObject({ 'http.response.status_code': 204, 'server.address': '127.0.0.1' });
    expect(spans.filter(({ status }) => status.code === 2)).toEqual([]);
  });

  test('is linked from a response that the upload resolves, which has a trace of its own', async () => {
    const uploadTrace = TRACE.replace(/^0/, '1');
    const pollTrace = TRACE.replace(/^0/, '2');
    const id = randomUUID();
    const half = putInHalves<Upload>(`${service.url}/uploads/${id}?timeout=60000`, bytes, {
      traceparent: `00-${uploadTrace}-${CLIENT_SPAN}-01`,
    });
    await getJson<Upload>(`${service.url}/uploads/${id}/progress?since=0&timeout=60000`);
    const polled = getJson<Upload>(`${service.url}/uploads/${id}/result?timeout=60000`, {
      traceparent: `00-${pollTrace}-${CLIENT_SPAN}-01`,
    });
    await eventually(
      'the response to be held',
      async () => heldInMetrics(await (await fetch(`${service.url}/metrics`)).text()) === 1,
    );
    half.finish();
    await Promise.all([half.answer, polled]);
    const held = await eventually('a linked span', () =>
      recorder.spans().find(({ linked, traceId }) => traceId === pollTrace && linked.length > 0),
    );
    expect([held.name, held.linked]).toEqual(['held response', [uploadTrace]]);
  });

  test.each([
    ['/files', { 'Tus-Resumable': '1.0.0', 'Content-Type': 'application/offset+octet-stream' }],
    ['/resumable', { 'Upload-Complete': '?1', 'Content-Type': 'application/partial-upload' }],
  ])('has the calls of the storage below a PATCH of %s', async (path, headers) => {
    const own = { ...headers, 'Content-Type': '', 'Upload-Complete': '?0', 'Upload-Length': String(bytes.length) };
    const created = await fetch(service.url + path, { method: 'POST', headers: own });
    const id = String(created.headers.get('location')).split('/').at(-1) ?? '';
    const patch = { method: 'PATCH', headers: { ...headers, 'Upload-Offset': '0' }, body: new Uint8Array(bytes) };
    const patched = await fetch(`${service.url}${path}/${id}`, patch);
    expect([created.status, patched.ok]).toEqual([201, true]);
    const below = await spansBelowRequest(recorder, `PATCH ${path}/:id`, id);
    expect(below).toEqual(['enqueue', 'storage append', 'storage commit', 'storage list', 'storage read', 'store']);
  });

  test('ignores a malformed traceparent, and no span contains the id of an upload', async () => {
    const id = randomUUID();
    await putFile(service.url, id, bytes, 'a.jpg', '', { traceparent: `00-${TRACE}-${CLIENT_SPAN}-01-more` });
    const ref = createHash('sha256').update(id).digest('hex').slice(0, 12);
    const request = await eventually('the span of the request', () =>
      recorder
        .spans()
        .find(({ name, attributes }) => name === 'PUT /uploads/:id' && attributes['deferred_uploads.upload'] === ref),
    );
    expect([request.parentId, request.traceId === TRACE]).toEqual([null, false]);
    await spansOf(request.traceId);
    expect(recorder.text()).not.toMatch(/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/);
  });
});

describe('webhooks of a service', () => {
  test('report the outcome and the deletion of an upload, as its document says', async () => {
    const id = await upload();
    const [completed] = await webhooksOf(id, 1);
    const { body: document } = await getJson<Upload>(`${service.url}/uploads/${id}`);
    expect(completed?.webhook).toMatchObject({ type: 'upload.completed', timestamp: document.updatedAt });
    expect(completed?.webhook.data).toEqual(document);
    expect(document.links.self).toBe(`/media/uploads/${id}`);
    await fetch(`${service.url}/uploads/${id}`, { method: 'DELETE' });
    const all = await webhooksOf(id, 2);
    expect(all.map(({ webhook }) => webhook.type)).toEqual(['upload.completed', 'upload.deleted']);
    for (const received of all) {
      expect(webhookSchema.safeParse(received.webhook).error).toBeUndefined();
      expect(isSigned(received)).toBe(true);
    }
  });

  test('report a file that no processor takes', async () => {
    const id = await upload(Buffer.from('no picture\0'));
    const [failed] = await webhooksOf(id, 1);
    expect(failed?.webhook).toMatchObject({
      type: 'upload.failed',
      data: { error: { code: 'unsupported_media_type' } },
    });
  });

  test('that are not delivered yet, or not at all, are listed for operators, who can send them again', async () => {
    receiver.answer = (response) => response.writeHead(500).end();
    await upload();
    const [pending] = await eventually('a pending webhook with a reason', async () => {
      const { deliveries: found } = await deliveries('pending');
      return found[0]?.reason === 'status 500' && found;
    });
    expect(pending).toMatchObject({ type: 'upload.completed', tenant: 'default', endpoint: 'main', tries: 1 });
    receiver.answer = (response) => response.writeHead(410).end();
    await upload();
    const [failed] = await eventually('a failed webhook', async () => {
      const { deliveries: found } = await deliveries('failed');
      return found.length > 0 && found;
    });
    expect(failed?.reason).toBe('status 410');
    expect(await replay(String(failed?.id))).toBe(204);
    // The endpoint is stopped, so it fails again without a request.
    await eventually('the webhook to fail again', async () => {
      const { deliveries: found } = await deliveries('failed');
      return found.some(({ id, reason }) => id === failed?.id && reason === 'endpoint stopped by its answer 410');
    });
    const { body: text } = await fetch(`${service.url}/metrics`);
    expect(await new Response(text).text()).toMatch(
      /^deferred_uploads_webhook_tries_total\{outcome="abandoned"\} [23]$/m,
    );
  });

  test('are not listed without the token, and not replayed if they have not failed', async () => {
    const { status } = await getJson<Problem>(`${service.url}/operators/deliveries`);
    const { body } = await getJson<Problem>(`${service.url}/operators/deliveries?state=other`, BEARER);
    expect([status, body.code, await replay('default.main.0123456789ab.9')]).toEqual([401, 'bad_request', 404]);
  });
});

describe('webhooks of tenants', () => {
  const keys = new Map(['acme', 'other'].map((name) => [name, `du_${name}_${randomBytes(32).toString('base64url')}`]));
  let directory: string;
  let keyed: Service;

  beforeAll(async () => {
    receiver.answer = (response) => response.writeHead(204).end();
    directory = await mkdtemp(join(tmpdir(), 'du-access-'));
    await writeAccessFile('first');
    const env = { ACCESS_FILE: join(directory, 'access.json'), WEBHOOK_ALLOW: '127.0.0.1' };
    keyed = await startService({ env });
  });

  afterAll(async () => {
    await keyed.stop();
    await rm(directory, { recursive: true, force: true });
  });

  /** Replaces the file in one step. Each tenant has an endpoint with its name in the query. */
  async function writeAccessFile(mark: string): Promise<void> {
    const tenants = [...keys].map(([name, key]) => [
      name,
      {
        keys: [{ id: 'k1', sha256: createHash('sha256').update(key).digest('hex') }],
        webhooks: [{ id: 'main', url: `${receiver.url}?${name}-${mark}`, secret: [SECRET] }],
      },
    ]);
    const path = join(directory, 'access.json');
    await writeFile(`${path}.new`, JSON.stringify({ tenants: Object.fromEntries(tenants) as unknown }));
    await rename(`${path}.new`, path);
  }

  async function uploadOf(tenant: string): Promise<Received> {
    const id = randomUUID();
    const headers = { Authorization: `Bearer ${keys.get(tenant)}` };
    const { status } = await putFile(keyed.url, id, bytes, 'a.jpg', '', headers);
    expect(status).toBe(202);
    const [received] = await webhooksOf(id, 1);
    if (received === undefined) throw new Error('nothing received');
    return received;
  }

  test('reach only the endpoint of their tenant, which may change without a restart', async () => {
    for (const tenant of keys.keys()) {
      const { path, webhook } = await uploadOf(tenant);
      expect([path, webhook.data.tenant]).toEqual([`/hooks?${tenant}-first`, tenant]);
    }
    await writeAccessFile('second');
    await eventually('the new endpoint to be used', async () => (await uploadOf('acme')).path === '/hooks?acme-second');
  });
});
