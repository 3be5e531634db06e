import { hold } from './hold/hold.ts';
import { idle } from './idle/idle.ts';
import type { Bench } from './lib/bench.ts';
import { page } from './page/page.ts';
import { pictures } from './pictures/pictures.ts';
import { recovery } from './recovery/recovery.ts';
import { redisRecovery } from './recovery/redis-recovery.ts';
import { scale } from './scale/scale.ts';
import { stack } from './stack/stack.ts';
import { tables } from './tables/tables.ts';
import { tracing } from './tracing/tracing.ts';
import { upload } from './upload/upload.ts';
import { wake } from './wake/wake.ts';
import { webhooks } from './webhooks/webhooks.ts';

/** All benchmarks, part by part. */
export const BENCHES: readonly Bench[] = [
  wake,
  hold,
  idle,
  ...upload,
  pictures,
  tables,
  webhooks,
  recovery,
  redisRecovery,
  page,
  ...scale,
  stack,
  tracing,
];
