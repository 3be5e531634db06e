import { join } from 'node:path';
import { BENCH_BUILD, ensureBuild, rebuild, SERVICE_BUILD } from './setup/build.mjs';
import { ensureChromium } from './setup/chromium-binary.mjs';
import { ensureDependencies } from './setup/dependencies.mjs';
import { loadDotEnv } from './setup/dot-env.mjs';
import { writePackageTypes } from './setup/package-types.mjs';
import { projectRoot } from './setup/project-root.mjs';
import { ensureRedisServer } from './setup/redis-binary.mjs';
import { deniedPath, SetupError } from './setup/setup-error.mjs';

/*
 * Run before every npm script, so that a fresh clone needs no other command: installs what is
 * missing and is silent when nothing is. Imports nothing but node's own modules, as it runs
 * before there are others.
 *
 *   --service    also compiles the service into `dist`, unless that is up to date
 *   --rebuild    as --service, even if that is up to date
 *   --types      also writes the type declarations of the package into `dist`
 *   --bench      also compiles benchmarks, chaos and generators, and what they start
 *   --redis      also a redis-server for the tests, which start their own even with REDIS_URL set
 *   --chromium   also a Chromium for the tests of the page, unless E2E=0
 */
const OLDEST_NODE = [20, 19];

try {
  checkNode();
  loadDotEnv(join(projectRoot, '.env'));
  await ensureDependencies(say, { development: !has('--service') });
  if (has('--rebuild')) await rebuild(SERVICE_BUILD, say);
  if (has('--types')) await writePackageTypes(SERVICE_BUILD.directory);
  if (has('--service')) await ensureBuild(SERVICE_BUILD, say);
  if (has('--bench')) await ensureBuild(BENCH_BUILD, say);
  if (has('--redis')) await ensureRedisServer(say);
  if (has('--chromium') && process.env.E2E !== '0') await ensureChromium(say);
} catch (error) {
  const denied = deniedPath(error);
  if (denied !== undefined) {
    console.error(`setup: this user may not write ${denied}; run npm as the owner of ${projectRoot}`);
    process.exitCode = 78;
  } else if (error instanceof SetupError) {
    console.error(`setup: ${error.message}`);
    process.exitCode = error.exitCode;
  } else {
    throw error;
  }
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = OLDEST_NODE;
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return;
  throw new SetupError(`node ${OLDEST_NODE.join('.')} or newer is needed, this is ${process.versions.node}`);
}

/** @param {string} option */
function has(option) {
  return process.argv.includes(option);
}

/** @param {string} line */
function say(line) {
  console.log(`setup: ${line}`);
}
