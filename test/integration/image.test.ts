import { expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { patienceMs } from '../helpers/patience.ts';

const BASES = [...readFileSync('Dockerfile', 'utf8').matchAll(/^ARG \w+=(\S+)$/gm)].map(([, name = '']) => name);

const succeeds = (program: string, ...args: readonly string[]) =>
  spawnSync(program, args, { stdio: 'ignore' }).status === 0;

/**
 * Returns the builder that the script uses. Undefined if there is none, or if it would have to download the base
 * images.
 */
function builderWithBases(): string | undefined {
  const builder = ['docker', 'podman', 'buildah'].find((name) => succeeds(name, 'images'));
  if (builder === undefined) return undefined;
  return BASES.every((name) => succeeds(builder, 'inspect', '--type', 'image', name)) ? builder : undefined;
}

(builderWithBases() === undefined ? test.skip : test)(
  'the image can be built and keeps its promises (needs a builder that has the base images)',
  () => {
    const { stdout, stderr } = spawnSync('deploy/check-image.sh', { encoding: 'utf8' });
    expect([stdout.trim().split('\n').at(-1), stderr.slice(-2000)]).toEqual(['the image is fine', expect.anything()]);
  },
  patienceMs(900_000),
);
