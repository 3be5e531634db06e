import { startRedisServer } from '../../../test/helpers/redis-server.ts';
import { startRedisFamily, type RedisFamily } from '../../../test/helpers/redis-sentinel.ts';
import { startService, type Service } from '../../../test/helpers/service.ts';

/** A running service, and the Redis that will fail. */
export interface RedisSetup {
  readonly service: Service;
  /** The servers that sentinels watch; undefined without sentinels. */
  readonly family: RedisFamily | undefined;
  stop(): Promise<void>;
}

/** Starts two API processes, one per event bus, and a worker, with one Redis that keeps its data. */
export async function startOnServer(): Promise<RedisSetup> {
  const redis = await startRedisServer({ persist: true });
  return await startOn({ redis, env: {} }, undefined, () => redis.stop());
}

/** Starts the same with a master, two replicas and a sentinel. */
export async function startOnFamily(): Promise<RedisSetup> {
  const family = await startRedisFamily();
  const env = { REDIS_URL: '', REDIS_SENTINELS: family.sentinels };
  return await startOn({ redis: await family.master(), env }, family, () => family.stop());
}

async function startOn(
  options: { redis: Service['redis']; env: Record<string, string> },
  family: RedisFamily | undefined,
  stopRedis: () => Promise<void>,
): Promise<RedisSetup> {
  const service = await startService({
    ...options,
    env: { ...options.env, EVENT_BUS: 'targeted', LOG_LEVEL: 'silent' },
  });
  await service.addApi({ EVENT_BUS: 'stream' });
  return {
    service,
    family,
    async stop() {
      await service.stop();
      await stopRedis();
    },
  };
}
