import { beforeAll, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { screenshot } from '../helpers/browser.ts';
import { eventually } from '../helpers/eventually.ts';
import { awaitTrue } from './await-true.ts';
import { type FrontEnd, openBundle, sharedFrontEnd, threeFiles } from './front-end.ts';
import { recipe } from './recipes.ts';

const DOCUMENT = 'docs/react.md';

let parts: FrontEnd;

beforeAll(async () => {
  parts = await sharedFrontEnd();
});

/** Opens the gallery of the docs, whose uploads survive a reload. */
async function openGallery(): Promise<{ page: Page; complaints: string[] }> {
  const gallery = recipe('gallery.jsx', DOCUMENT).replace(
    "import { useUploads } from 'deferred-uploads/react'",
    "import { useKeptUploads as useUploads } from './kept-uploads.jsx'",
  );
  const files = { 'gallery.jsx': gallery, 'kept-uploads.jsx': recipe('kept-uploads.jsx', DOCUMENT) };
  return await openBundle(parts, 'gallery', files, '<div id="root"></div>');
}

test('React shows each kind of outcome, cancels through to the worker, and goes on after a reload', async () => {
  const { slow, bytes } = parts;
  const { page, complaints } = await openGallery();
  await page.setInputFiles('input', [...threeFiles(bytes), slow.file('slow-5.pdf'), slow.file('slow-6.pdf')]);
  await Promise.all([slow.started('slow-5.pdf'), slow.started('slow-6.pdf')]);
  await page.getByRole('img', { name: 'harbour.jpg' }).waitFor();
  await awaitTrue(page, () => (document.querySelector('img')?.naturalWidth ?? 0) > 0);
  await page.getByRole('link', { name: 'prices.csv: 3 rows' }).waitFor();
  await page.getByRole('button', { name: 'Retry broken.jpg' }).waitFor();
  await awaitTrue(page, `document.querySelector('progress[aria-label="slow-5.pdf"]').value > 40`);
  await screenshot(page, 'react-1-processing');

  await page.getByRole('button', { name: 'Cancel slow-5.pdf' }).click();
  await slow.ended('slow-5.pdf');
  await page.getByRole('button', { name: 'Remove slow-5.pdf' }).click();
  await page.getByRole('button', { name: 'Remove broken.jpg' }).click();
  await eventually('the removals', async () => (await page.locator('li').count()) === 3);

  await page.reload();
  await page.getByRole('button', { name: 'Cancel slow-6.pdf' }).waitFor();
  await slow.finish('slow-6.pdf');
  await page.getByText('slow-6.pdf: slow').waitFor();
  await page.getByRole('img', { name: 'harbour.jpg' }).waitFor();
  await screenshot(page, 'react-2-reloaded');
  expect(complaints).toEqual([]);
  await page.close();
});

test('the portrait of the docs shows its picture, and why another file failed', async () => {
  const [picture, , failing] = threeFiles(parts.bytes);
  const files = {
    'main.jsx': `
      import { createRoot } from 'react-dom/client';
      import { Portrait } from './portrait.jsx';
      createRoot(document.querySelector('#root')).render(<Portrait />);
    `,
    'portrait.jsx': recipe('portrait.jsx', DOCUMENT),
  };
  const { page } = await openBundle(parts, 'portrait', files, '<div id="root"></div>');
  await page.setInputFiles('input', failing);
  await page.getByRole('button', { name: 'Choose another file' }).click();
  await page.setInputFiles('input', picture);
  await page.getByRole('img', { name: 'Portrait' }).waitFor();
  await awaitTrue(page, () => (document.querySelector('img')?.naturalWidth ?? 0) > 0);
  await page.close();
});
