import { expect, test } from '@jest/globals';
import { silentLog } from '../../helpers/record-space.ts';
import { openMetricsServer } from '../../../workers/metrics-server.ts';

const METRICS = { contentType: 'text/plain; version=0.0.4', text: async () => 'deferred_uploads_paused 0\n' };

test('a second worker on a machine serves its metrics on the next free port', async () => {
  const first = await openMetricsServer({ host: '127.0.0.1', port: 0 }, METRICS, silentLog);
  const port = Number(new URL(first.url).port);
  const second = await openMetricsServer({ host: '127.0.0.1', port }, METRICS, silentLog);
  try {
    expect(Number(new URL(second.url).port)).toBeGreaterThan(port);
    const response = await fetch(second.url);
    expect([response.headers.get('content-type'), await response.text()]).toEqual([
      METRICS.contentType,
      'deferred_uploads_paused 0\n',
    ]);
    expect((await fetch(new URL('/healthz', second.url))).status).toBe(200);
    expect((await fetch(new URL('/other', second.url))).status).toBe(404);
  } finally {
    first.close();
    second.close();
  }
});

test('a worker that cannot listen stops with a line that names the settings', async () => {
  await expect(openMetricsServer({ host: '203.0.113.1', port: 9000 }, METRICS, silentLog)).rejects.toThrow(
    /^METRICS_HOST and METRICS_PORT/,
  );
});
