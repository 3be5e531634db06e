import { describe, expect, test } from '@jest/globals';
import { EndpointLoad, type Turn } from '../../../../workers/webhooks/endpoint-load.ts';

const MOST_REQUESTS = 20;
const MOST_WAITING = 60;

async function turn(load: EndpointLoad, endpoint: string): Promise<Turn> {
  const taken = await load.take(endpoint);
  if (typeof taken === 'number') throw new Error('the endpoint has no free place');
  return taken;
}

describe('the load of an endpoint', () => {
  test('lets a few requests run, lets more of them wait here, and sends the rest back to Redis', async () => {
    const load = new EndpointLoad(() => 0);
    const running = await Promise.all(Array.from({ length: MOST_REQUESTS }, () => turn(load, 'a')));
    const started: Turn[] = [];
    const waiting = Array.from({ length: MOST_WAITING }, () => turn(load, 'a').then((next) => started.push(next)));
    expect(await load.take('a')).toEqual(expect.any(Number));
    running[0]?.end(true);
    await Promise.race(waiting);
    expect(started).toHaveLength(1);
    for (const next of running.slice(1)) next.end(true);
    while (started.length < MOST_WAITING) {
      started.at(-1)?.end(true);
      await Promise.resolve();
    }
  });

  test('does not limit another endpoint', async () => {
    const load = new EndpointLoad();
    await Promise.all(Array.from({ length: MOST_REQUESTS }, () => turn(load, 'a')));
    expect(typeof (await load.take('b'))).toBe('object');
  });

  test('lets only one request run after a try without an answer, until one has an answer', async () => {
    const load = new EndpointLoad();
    (await turn(load, 'a')).end(false);
    const only = await turn(load, 'a');
    expect(await load.take('a')).toEqual(expect.any(Number));
    only.end(true);
    await Promise.all(Array.from({ length: MOST_REQUESTS }, () => turn(load, 'a')));
  });

  test('sends waiting deliveries back to Redis when the endpoint turns out to be slow', async () => {
    let nowMs = 0;
    const load = new EndpointLoad(() => nowMs);
    const running = await Promise.all(Array.from({ length: MOST_REQUESTS }, () => turn(load, 'a')));
    const waiting = Array.from({ length: MOST_WAITING }, () => load.take('a'));
    nowMs = 9_000;
    running[0]?.end(true);
    expect((await Promise.all(waiting)).every((taken) => typeof taken === 'number')).toBe(true);
    for (const next of running.slice(1)) next.end(true);
    await Promise.all(Array.from({ length: 4 }, () => turn(load, 'a')));
    expect(await load.take('a')).toEqual(expect.any(Number));
  });

  test('spreads deliveries at the rate of a silent endpoint, up to 30 s', async () => {
    let nowMs = 0;
    const load = new EndpointLoad(() => nowMs);
    const first = await turn(load, 'a');
    nowMs = 10_000;
    first.end(false);
    await turn(load, 'a');
    const pauses = await Promise.all(Array.from({ length: 100 }, () => load.take('a')));
    expect(pauses[1]).toBeGreaterThan(Number(pauses[0]) + 1000);
    expect(Math.max(...pauses.map(Number))).toBe(30_000);
  });
});
