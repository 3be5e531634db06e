import { embeddedRedis } from '../../scripts/embedded-redis.ts';
import { ensureRedisServer } from '../../scripts/setup/redis-binary.mjs';
import { stopOnSignals } from '../../scripts/stop-on-signals.ts';
import { Supervisor } from '../../scripts/supervisor.ts';
import { fakeChild } from './fake-child.ts';

/*
 * A supervisor in a process of its own, to be signalled and killed. Arguments: the diary's
 * file, and a directory where it runs a Redis too. A child named `stubborn` ignores SIGTERM.
 */
const [file = '', directory, ...names] = process.argv.slice(2);
const redis = directory ? embeddedRedis(await ensureRedisServer(console.log), directory, 1000) : undefined;
const children = names.map((name) => fakeChild({ file }, name, name === 'stubborn' ? { onTerm: `write('told')` } : {}));
const supervisor = new Supervisor({
  foundation: redis === undefined ? [] : [redis.spec],
  children,
  log: { warn: () => undefined, error: () => undefined },
  ...(directory ? { pidDirectory: directory } : {}),
});
const release = stopOnSignals(supervisor);
if (await supervisor.start()) console.log('started');
process.exitCode = await supervisor.finished;
redis?.close();
release();
