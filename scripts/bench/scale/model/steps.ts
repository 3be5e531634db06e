import type { Site } from './site.ts';

const DAY_SECONDS = 86_400;
const HOUR_SECONDS = 3_600;

/** What moves the limits, each step with those before it. */
export const STEPS: readonly { title: string; settings: Partial<Site> }[] = [
  { title: "defaults: `EVENT_BUS=stream`, one directory, a day's retention", settings: {} },
  { title: '`STORAGE=s3://…`', settings: { storage: 'bucket' } },
  { title: '`EVENT_BUS=targeted`', settings: { bus: 'targeted' } },
  { title: '`RETENTION_MS` of an hour', settings: { retentionSeconds: HOUR_SECONDS } },
  { title: '10 queues by hash, a Redis each', settings: { queues: 10 } },
  { title: '100 queues by hash', settings: { queues: 100 } },
];

const START: Omit<Site, 'machines'> = { bus: 'stream', storage: 'directory', retentionSeconds: DAY_SECONDS, queues: 1 };

/** So many machines, set up as after the step of this number, counted from 0. */
export function siteAfter(step: number, machines: number): Site {
  return STEPS.slice(0, step + 1).reduce<Site>((site, { settings }) => ({ ...site, ...settings }), {
    ...START,
    machines,
  });
}
