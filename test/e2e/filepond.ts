import { beforeAll, expect, test } from '@jest/globals';
import type { Locator, Page } from 'playwright-core';
import { screenshot } from '../helpers/browser.ts';
import { eventually } from '../helpers/eventually.ts';
import { awaitTrue } from './await-true.ts';
import { type FrontEnd, openBundle, sharedFrontEnd, threeFiles } from './front-end.ts';
import { recipe } from './recipes.ts';

let parts: FrontEnd;

beforeAll(async () => {
  parts = await sharedFrontEnd();
});

/** Opens a recipe of filepond.md with the styles of FilePond. */
async function openPond(name: string): Promise<Page> {
  const imports = `import 'filepond/dist/filepond.min.css';\nimport './pond.css';`;
  const files = {
    [name]: `${imports}\n${recipe(name, 'docs/filepond.md')}`,
    'pond.css': recipe('pond.css', 'docs/filepond.md'),
  };
  const input = '<form style="width: 480px"><input type="file" name="uploads" multiple></form>';
  const { page } = await openBundle(parts, name, files, input);
  return page;
}

function item(page: Page, name: string): Locator {
  return page.locator('.filepond--item', { hasText: name });
}

async function awaitState(page: Page, name: string, state: string): Promise<void> {
  await page.locator(`.filepond--item[data-filepond-item-state="${state}"]`, { hasText: name }).waitFor();
}

test('FilePond shows one percent up to the result, why a file failed, and cancels through to the worker', async () => {
  const { slow, bytes, service } = parts;
  const page = await openPond('pond.js');
  await page.evaluate(`
    window.percents = [];
    document.addEventListener('FilePond:processfileprogress', ({ detail }) => {
      if (detail.file.filename === 'slow-3.pdf') percents.push(detail.progress);
    });
  `);
  await page.setInputFiles('.filepond--browser', [...threeFiles(bytes), slow.file('slow-3.pdf')]);
  await slow.started('slow-3.pdf');
  await Promise.all([
    awaitState(page, 'harbour.jpg', 'processing-complete'),
    awaitState(page, 'prices.csv', 'processing-complete'),
    awaitState(page, 'broken.jpg', 'processing-error'),
  ]);
  await awaitTrue(page, 'percents.at(-1) > 0.4');
  await screenshot(page, 'filepond-1-processing');
  const reason = item(page, 'broken.jpg').locator('.filepond--file-status-main');
  expect(await reason.innerText()).toMatch(/^The picture is incomplete: /);
  expect(await reason.evaluate((element) => element.scrollWidth <= element.clientWidth)).toBe(true);
  const percents = await page.evaluate<number[]>('percents');
  expect(percents).toEqual(percents.toSorted((a, b) => a - b));

  await item(page, 'slow-3.pdf').locator('.filepond--action-abort-item-processing').click();
  await slow.ended('slow-3.pdf');

  // The form contains only the ids of completed uploads.
  const ids = await page.evaluate<string[]>(
    `new FormData(document.querySelector('form')).getAll('uploads').filter((value) => /^[0-9a-f-]{36}$/.test(value))`,
  );
  expect(ids).toHaveLength(2);
  await item(page, 'prices.csv').locator('.filepond--action-revert-item-processing').click();
  await eventually('the deletion', async () => {
    const answers = await Promise.all(ids.map((id) => fetch(`${service.url}/uploads/${id}`)));
    return answers.filter(({ status }) => status === 410).length === 1;
  });
  await page.close();
});

test('FilePond restores files after a reload, also files that are still processed', async () => {
  const { slow, bytes } = parts;
  const page = await openPond('kept-pond.js');
  const [picture] = threeFiles(bytes);
  await page.setInputFiles('.filepond--browser', [picture, slow.file('slow-4.pdf')]);
  await slow.started('slow-4.pdf');
  await awaitState(page, 'harbour.jpg', 'processing-complete');
  await awaitState(page, 'slow-4.pdf', 'processing-complete');
  // The files are restored twice, because the ids of restored files must be kept too.
  for (const name of ['filepond-2-restored', 'filepond-3-restored-again']) {
    await page.reload();
    await awaitState(page, 'harbour.jpg', 'processing-complete');
    await awaitState(page, 'slow-4.pdf', 'processing-complete');
    await screenshot(page, name);
  }
  await slow.finish('slow-4.pdf');
  await page.close();
});
