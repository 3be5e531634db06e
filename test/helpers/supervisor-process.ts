import { embeddedRedis } from '../../scripts/embedded-redis.ts';
import { ensureRedisServer } from '../../scripts/setup/redis-binary.mjs';
import { stopOnSignals } from '../../scripts/stop-on-signals.ts';
import { Supervisor } from '../../scripts/supervisor.ts';
import { fakeChild } from './fake-child.ts';

/*
 * A supervisor in a process of its own, to be signalled and killed. Arguments: the file of the event log, then either the names
 * of its children, or `--redis`, a directory and the grace in milliseconds of the Redis that it runs there. A child
 * named `stubborn` ignores SIGTERM.
 */
const [file = '', ...rest] = process.argv.slice(2);
const [directory, graceMs] = rest[0] === '--redis' ? rest.slice(1) : [];
const names = directory === undefined ? rest : [];
const redis =
  directory === undefined ? undefined : embeddedRedis(await ensureRedisServer(console.log), directory, Number(graceMs));
const children = names.map((name) =>
  fakeChild({ file }, name, name === 'stubborn' ? { onTerm: `write('signalled')` } : {}),
);
const supervisor = new Supervisor({
  foundation: redis === undefined ? [] : [redis.spec],
  children,
  log: { warn: () => undefined, error: () => undefined },
  ...(directory === undefined ? {} : { pidDirectory: directory }),
});
const release = stopOnSignals(supervisor);
if (await supervisor.start()) console.log('started');
process.exitCode = await supervisor.finished;
redis?.close();
release();
