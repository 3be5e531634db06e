import { describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { Metrics, type EndedRequest } from '../../../src/telemetry/metrics.ts';
import { WorkerMetrics } from '../../../src/telemetry/worker-metrics.ts';
import { VERSION } from '../../../src/version.ts';
import { METRIC_READINGS as READINGS } from '../../helpers/metric-readings.ts';

const ENDED: EndedRequest = { method: 'GET', route: '/uploads/:id', status: 200, durationMs: 20, receivedBytes: 700 };

describe('metrics of a process', () => {
  test('are read at each scrape', async () => {
    let receiving = 0;
    const metrics = new Metrics({ ...READINGS, receiving: () => receiving });
    receiving = 7;
    const text = await metrics.text();
    expect(text).toMatch(/^deferred_uploads_receiving 7$/m);
    expect(text).toMatch(/^deferred_uploads_waiters 4$/m);
    expect(text).toMatch(/^deferred_uploads_queue_jobs\{state="waiting"\} 5$/m);
    expect(text).toMatch(/^deferred_uploads_queue_waiting_by_kind\{kind="table"\} 4$/m);
  });

  test('are available while Redis is away, without those of the queue', async () => {
    let isAway = false;
    const metrics = new Metrics({
      ...READINGS,
      jobCounts: async () =>
        isAway ? await Promise.reject<never>(new Error('away')) : { waiting: 1, active: 1, delayed: 1 },
    });
    expect(await metrics.text()).toContain('deferred_uploads_queue_jobs{');
    isAway = true;
    const text = await metrics.text();
    expect(text).not.toContain('deferred_uploads_queue_jobs{');
    expect(text).toMatch(/^deferred_uploads_waiters 4$/m);
  });

  test('read Redis once per scrape for metrics of the same source', async () => {
    const reads = { backlog: 0, deliveries: 0, redisMemory: 0 };
    const metrics = new Metrics({
      ...READINGS,
      backlog: async () => {
        reads.backlog += 1;
        return await READINGS.backlog();
      },
      deliveries: async () => {
        reads.deliveries += 1;
        return await READINGS.deliveries();
      },
      redisMemory: async () => {
        reads.redisMemory += 1;
        return await READINGS.redisMemory();
      },
    });
    await metrics.text();
    expect(reads).toEqual({ backlog: 1, deliveries: 1, redisMemory: 1 });
    await metrics.text();
    expect(reads).toEqual({ backlog: 2, deliveries: 2, redisMemory: 2 });
  });

  test('report the webhooks of all processes', async () => {
    const lines = (await new Metrics(READINGS).text()).split('\n');
    expect(lines).toContain('deferred_uploads_webhooks_pending 2');
    expect(lines).toContain('deferred_uploads_webhook_oldest_pending_seconds 1.5');
    expect(lines).toContain('deferred_uploads_webhook_tries_total{outcome="delivered"} 8');
  });

  test('report the waiting uploads, the drain rate and the rejected uploads', async () => {
    let isAway = false;
    const metrics = new Metrics({
      ...READINGS,
      backlog: async () =>
        isAway ? await Promise.reject<never>(new Error('away')) : { waiting: 6, drainedPerMinute: 90 },
    });
    metrics.queueRefused('queue_full');
    metrics.queueDiscarded();
    const text = await metrics.text();
    for (const line of [
      'deferred_uploads_queue_waiting 6',
      'deferred_uploads_queue_capacity 50',
      'deferred_uploads_queue_drained_per_second 1.5',
      'deferred_uploads_queue_rejected_total{code="queue_full"} 1',
      'deferred_uploads_queue_evicted_total 1',
      'deferred_uploads_workers_paused 1',
    ]) {
      expect(text.split('\n')).toContain(line);
    }
    isAway = true;
    expect(await metrics.text()).not.toMatch(/^deferred_uploads_queue_(waiting|drained_per_second) /m);
  });

  test('count requests by method, route and status', async () => {
    const metrics = new Metrics(READINGS);
    metrics.requestEnded(ENDED);
    metrics.requestEnded(ENDED);
    expect(await metrics.text()).toMatch(
      /^deferred_uploads_http_requests_total\{method="GET",route="\/uploads\/:id",status="200"\} 2$/m,
    );
  });

  test('measure requests and count their bytes', async () => {
    const metrics = new Metrics(READINGS);
    metrics.requestEnded(ENDED);
    const lines = (await metrics.text()).split('\n');
    const labels = 'method="GET",route="/uploads/:id"';
    expect(lines).toContain('deferred_uploads_http_received_bytes_total 700');
    expect(lines).toContain(`deferred_uploads_http_request_duration_seconds_bucket{le="0.025",${labels}} 1`);
  });

  test('report outcomes, the oldest waiting upload, Redis, the storage and the version', async () => {
    const lines = (await new Metrics(READINGS).text()).split('\n');
    for (const line of [
      'deferred_uploads_uploads_total{outcome="failed",code="file_too_large"} 2',
      'deferred_uploads_queue_oldest_waiting_seconds 2.5',
      'deferred_uploads_redis_up 1',
      'deferred_uploads_redis_used_memory_bytes 7000',
      'deferred_uploads_storage_free_bytes 123',
      `deferred_uploads_build_info{version="${VERSION}",node_version="${process.version}"} 1`,
    ])
      expect(lines).toContain(line);
    expect(lines.join('\n')).not.toMatch(/^deferred_uploads_redis_max_memory_bytes /m);
  });

  test('count held responses and how they ended', async () => {
    const metrics = new Metrics(READINGS);
    metrics.deferredBegun('/progress');
    metrics.deferredBegun('/progress');
    metrics.deferredEnded('/progress', 'timeout', 25_000);
    metrics.woken(2);
    const text = await metrics.text();
    expect(text).toMatch(/^deferred_uploads_held\{route="\/progress"\} 1$/m);
    expect(text).toMatch(/^deferred_uploads_held_responses_total\{route="\/progress",ending="timeout"\} 1$/m);
    expect(text).toMatch(/^deferred_uploads_held_seconds_sum\{route="\/progress"\} 25$/m);
    expect(text).toMatch(/^deferred_uploads_wake_seconds_bucket\{le="0.0025"\} 1$/m);
  });

  test('are separate for two services in one process', async () => {
    const [one, other] = [new Metrics(READINGS), new Metrics(READINGS)];
    one.requestEnded(ENDED);
    expect(await other.text()).not.toContain('deferred_uploads_http_requests_total{');
    expect(one.contentType).toContain('text/plain');
  });
});

describe('metrics of a worker', () => {
  test('measure how long uploads wait and how long they are processed', async () => {
    const metrics = workerMetrics();
    metrics.attemptBegun('picture', 2000);
    metrics.attemptBegun('picture', undefined);
    metrics.attemptEnded('picture', 'completed', 300);
    const lines = (await metrics.text()).split('\n');
    for (const line of [
      'deferred_uploads_queue_wait_seconds_sum{kind="picture"} 2',
      'deferred_uploads_queue_wait_seconds_count{kind="picture"} 1',
      'deferred_uploads_processing_seconds_bucket{le="0.5",kind="picture",outcome="completed"} 1',
      'deferred_uploads_running_jobs 2',
      'deferred_uploads_paused 0',
    ])
      expect(lines).toContain(line);
  });
});

function workerMetrics(): WorkerMetrics {
  return new WorkerMetrics({ ...READINGS, running: () => 2, isPaused: () => false });
}

describe('the metrics of Node', () => {
  test('have the lag of the event loop under the names of prom-client, each once', async () => {
    const text = await new Metrics({ ...READINGS, ofProcess: true }).text();
    const names = [...text.matchAll(/^nodejs_eventloop_lag_(\w*)seconds \d/gm)].map(([, part = '?']) => part);
    expect(names.sort((a, b) => a.localeCompare(b))).toEqual([
      '',
      'max_',
      'mean_',
      'min_',
      'p50_',
      'p90_',
      'p99_',
      'stddev_',
    ]);
  });
});

describe('the conventions of Prometheus', () => {
  const isInstalled = spawnSync('promtool', ['--version'], { stdio: 'ignore' }).error === undefined;
  const testIfInstalled = isInstalled ? test : test.skip;

  test.each([
    ['an API process', async () => await new Metrics({ ...READINGS, ofProcess: true }).text()],
    ['a worker', async () => await workerMetrics().text()],
  ])('are kept by the names of %s', async (_process, read) => {
    const types = [...(await read()).matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type = '']) => ({
      name,
      type,
    }));
    expect(types.length).toBeGreaterThan(10);
    const wrong = types.filter(
      ({ name, type }) =>
        !/^(deferred_uploads|process|nodejs)_/.test(name) || (type === 'counter') !== name.endsWith('_total'),
    );
    expect(wrong).toEqual([]);
  });

  testIfInstalled('are kept for promtool', async () => {
    const metrics = new Metrics({ ...READINGS, ofProcess: true });
    metrics.requestEnded(ENDED);
    for (const text of [await metrics.text(), await workerMetrics().text()]) {
      const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
      expect([status, stdout, stderr]).toEqual([0, '', '']);
    }
  });
});
