import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { screenshot } from '../helpers/browser.ts';
import { eventually } from '../helpers/eventually.ts';
import { awaitTrue } from './await-true.ts';
import { fileExpression, type FrontEnd, openBundle, sharedFrontEnd, threeFiles } from './front-end.ts';
import { recipe } from './recipes.ts';

const DOCUMENT = 'docs/uppy.md';

let parts: FrontEnd;

beforeAll(async () => {
  parts = await sharedFrontEnd();
});

/** The data of one file that a page has at the end. */
interface Outcome {
  name: string;
  kind: string | undefined;
  error: string | null;
  percentage: number;
}

const SEND = (files: string) => `(async () => {
  const { uppy } = recipe;
  window.totals = [];
  // User interfaces read the state after all updates of one event.
  uppy.on('state-update', () => queueMicrotask(() => totals.push(uppy.getState().totalProgress)));
  for (const data of [${files}]) uppy.addFile({ name: data.name, type: data.type, data });
  await uppy.upload();
  return uppy.getFiles().map(({ name, response, error, progress }) => ({
    name, kind: response?.body?.result?.kind, error: error ?? null, percentage: progress.percentage,
  }));
})()`;

describe.each(['xhr.js', 'tus.js'])('the recipe %s of Uppy', (name) => {
  test('shows one percent up to the results of a picture and a table, and why a file failed', async () => {
    const { page } = await openBundle(parts, `uppy-${name}`, { [name]: recipe(name, DOCUMENT) });
    const outcomes = await page.evaluate<Outcome[]>(SEND(threeFiles(parts.bytes).map(fileExpression).join()));
    expect(outcomes).toEqual([
      { name: 'harbour.jpg', kind: 'picture', error: null, percentage: 100 },
      { name: 'prices.csv', kind: 'table', error: null, percentage: 100 },
      { name: 'broken.jpg', kind: undefined, error: expect.stringMatching(/\w/), percentage: expect.any(Number) },
    ]);
    const totals = await page.evaluate<number[]>('totals');
    expect(totals).toEqual(totals.toSorted((a, b) => a - b));
    if (name === 'xhr.js') await expectAddresses(page);
    await page.close();
  });
});

/** Checks that the recipe makes absolute addresses, which a page of another origin can load. */
async function expectAddresses(page: Page): Promise<void> {
  const types = await page.evaluate<(string | null)[]>(`(async () => {
    const types = [];
    for (const file of recipe.uppy.getFiles().slice(0, 2))
      types.push((await fetch(recipe.addressOf(file))).headers.get('Content-Type'));
    return types;
  })()`);
  expect(types).toEqual([expect.stringMatching(/^image\//), expect.stringMatching(/json/)]);
}

describe('the Dashboard of Uppy', () => {
  async function openDashboard(): Promise<Page> {
    const files = { 'dashboard.js': recipe('dashboard.js', DOCUMENT) };
    const { page } = await openBundle(parts, 'uppy-dashboard', files, '<div id="uppy"></div>');
    return page;
  }

  /** Returns the file of this name in Uppy's state. */
  async function fileNamed(page: Page, name: string): Promise<{ percentage: number; message: string; kind: string }> {
    return await page.evaluate((wanted) => {
      const { recipe: imported } = window as unknown as {
        recipe: { uppy: { getFiles(): { name: string; progress: never; response?: never }[] } };
      };
      const file = imported.uppy.getFiles().find((one) => one.name === wanted) as
        | {
            progress: { percentage: number; postprocess?: { message: string } };
            response?: { body?: { result?: { kind: string } } };
          }
        | undefined;
      return {
        percentage: file?.progress.percentage ?? -1,
        message: file?.progress.postprocess?.message ?? '',
        kind: file?.response?.body?.result?.kind ?? '',
      };
    }, name);
  }

  test('shows a slow worker, cancels through to it, and goes on after a reload', async () => {
    const { slow, bytes } = parts;
    const page = await openDashboard();
    const files = [...threeFiles(bytes), slow.file('slow-1.pdf'), slow.file('slow-2.pdf')];
    await page.setInputFiles('input.uppy-Dashboard-input >> nth=0', files);
    await page.click('.uppy-StatusBar-actionBtn--upload');
    await Promise.all([slow.started('slow-1.pdf'), slow.started('slow-2.pdf')]);
    await eventually('progress after the last byte', async () => {
      const { percentage, message } = await fileNamed(page, 'slow-1.pdf');
      return percentage > 40 && message.startsWith('Processing');
    });
    await eventually('the other files', async () => (await fileNamed(page, 'harbour.jpg')).kind === 'picture');
    await page.locator('.uppy-Dashboard-Item', { hasText: 'broken.jpg' }).locator('[class*=error]').first().waitFor();
    await screenshot(page, 'uppy-1-processing');
    expect(await page.locator('.uppy-StatusBar-content').innerText()).toMatch(/Processing|%/);

    await page.evaluate(`recipe.uppy.removeFile(recipe.uppy.getFiles().find(({ name }) => name === 'slow-1.pdf').id)`);
    await slow.ended('slow-1.pdf');

    await page.reload();
    await awaitTrue(page, 'recipe.uppy.getFiles().length > 0');
    await screenshot(page, 'uppy-2-reloaded');
    await slow.finish('slow-2.pdf');
    await eventually('the result', async () => (await fileNamed(page, 'slow-2.pdf')).kind === 'slow');
    await screenshot(page, 'uppy-3-done');
    await page.close();
  });
});
