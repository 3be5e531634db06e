import { describe, expect, test } from '@jest/globals';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { TEST_BUILD } from '../../../scripts/setup/build.mjs';
import { projectRoot } from '../../../scripts/setup/project-root.mjs';
import { bundledPackages } from '../../../scripts/setup/package-bundles.mjs';

/* The set-up of Jest has made the bundles. */
const bundleOf = (name: string): string => join(TEST_BUILD.directory, 'node_modules', name, 'index.js');

const namesOf = (module: object): string[] => Object.keys(module).filter((name) => name !== 'module.exports');

describe('the bundles of packages', () => {
  test('exist for each package of the service, except for packages that load other files', () => {
    expect(bundledPackages()).toContain('bullmq');
    expect(bundledPackages()).not.toContain('sharp');
    expect(bundledPackages().filter((name) => !existsSync(bundleOf(name)))).toEqual([]);
  });

  test('are loaded by tests in place of the packages', async () => {
    const bundle = (await import(pathToFileURL(bundleOf('yauzl')).href)) as typeof import('yauzl');
    expect((await import('yauzl')).openPromise).toBe(bundle.openPromise);
  });

  test.each([
    ['busboy', 'lib/index.js'],
    ['thumbhash', 'thumbhash.js'],
    ['yauzl', 'index.js'],
  ])('export the same names as %s', async (name, main) => {
    const bundle = (await import(pathToFileURL(bundleOf(name)).href)) as object;
    const original = (await import(pathToFileURL(join(projectRoot, 'node_modules', name, main)).href)) as object;
    expect(namesOf(bundle).toSorted()).toEqual(namesOf(original).toSorted());
  });
});
