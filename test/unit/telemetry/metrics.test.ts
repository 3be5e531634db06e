import { describe, expect, test } from '@jest/globals';
import { Metrics } from '../../../src/telemetry/metrics.ts';
import { METRIC_READINGS as READINGS } from '../../helpers/metric-readings.ts';

describe('metrics of a process', () => {
  test('are read at each scrape', async () => {
    let held = 0;
    const metrics = new Metrics({ ...READINGS, held: () => held });
    held = 7;
    const text = await metrics.text();
    expect(text).toMatch(/^deferred_held 7$/m);
    expect(text).toMatch(/^deferred_waiters 4$/m);
    expect(text).toMatch(/^queue_jobs\{state="waiting"\} 5$/m);
    expect(text).toMatch(/^queue_waiting_by_kind\{kind="table"\} 4$/m);
  });

  test('are available while Redis is away, without those of the queue', async () => {
    let isAway = false;
    const metrics = new Metrics({
      ...READINGS,
      jobCounts: async () =>
        isAway ? await Promise.reject<never>(new Error('away')) : { waiting: 1, active: 1, delayed: 1 },
    });
    expect(await metrics.text()).toContain('queue_jobs{');
    isAway = true;
    const text = await metrics.text();
    expect(text).not.toContain('queue_jobs{');
    expect(text).toMatch(/^deferred_held 3$/m);
  });

  test('report the webhooks of all processes', async () => {
    const lines = (await new Metrics(READINGS).text()).split('\n');
    expect(lines).toContain('webhooks_pending 2');
    expect(lines).toContain('webhook_oldest_pending_seconds 1.5');
    expect(lines).toContain('webhook_tries_total{outcome="delivered"} 8');
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
      'queue_waiting 6',
      'queue_capacity 50',
      'queue_drained_per_minute 90',
      'queue_refused_total{code="queue_full"} 1',
      'queue_discarded_total 1',
      'workers_paused 1',
    ]) {
      expect(text.split('\n')).toContain(line);
    }
    isAway = true;
    expect(await metrics.text()).not.toMatch(/^queue_(waiting|drained_per_minute) /m);
  });

  test('count requests by method, route and status', async () => {
    const metrics = new Metrics(READINGS);
    metrics.requestEnded('GET', '/uploads/:id', 200);
    metrics.requestEnded('GET', '/uploads/:id', 200);
    expect(await metrics.text()).toMatch(
      /^http_requests_total\{method="GET",route="\/uploads\/:id",status="200"\} 2$/m,
    );
  });

  test('count held responses and how they ended', async () => {
    const metrics = new Metrics(READINGS);
    metrics.deferredBegun('/progress');
    metrics.deferredBegun('/progress');
    metrics.deferredEnded('/progress', 'timeout', 25_000);
    metrics.woken(2);
    const text = await metrics.text();
    expect(text).toMatch(/^deferred_held_by_route\{route="\/progress"\} 1$/m);
    expect(text).toMatch(/^deferred_responses_total\{route="\/progress",ending="timeout"\} 1$/m);
    expect(text).toMatch(/^deferred_held_seconds_sum\{route="\/progress"\} 25$/m);
    expect(text).toMatch(/^deferred_wake_seconds_bucket\{le="0.0025"\} 1$/m);
  });

  test('are separate for two services in one process', async () => {
    const [one, other] = [new Metrics(READINGS), new Metrics(READINGS)];
    one.requestEnded('GET', '/', 200);
    expect(await other.text()).not.toContain('http_requests_total{');
    expect(one.contentType).toContain('text/plain');
  });
});
