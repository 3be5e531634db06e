import { Announcer } from './page/announcer.ts';
import { required } from './page/dom.ts';
import { listenForFiles } from './page/intake.ts';
import { isBusy, type LineModel } from './page/line-model.ts';
import { readOpenUploads, writeOpenUploads } from './page/open-uploads.ts';
import { showSummary, summarise } from './page/summary.ts';
import { UploadBoard } from './page/upload-board.ts';
import { wordsFor } from './page/words-for.ts';
import type { Words } from './page/words.ts';
import { createUploadClient } from './upload-client.ts';

/** Someone who closed a lid over lunch finds everything sent afterwards. */
const GIVE_UP_AFTER_MS = 4 * 3_600_000;

const words = wordsFor(navigator.languages);
const storage = (): Storage => sessionStorage;
const offline = required('#offline', HTMLElement);
const cancelAll = required('#cancel-all', HTMLButtonElement);
const clearFinished = required('#clear-finished', HTMLButtonElement);
const summaryElements = {
  section: required('#uploads', HTMLElement),
  text: required('#summary', HTMLElement),
  bar: required('#overall', HTMLProgressElement),
  cancelAll,
  clearFinished,
};

let shown: readonly LineModel[] = [];
let kept = '';

const client = createUploadClient({
  giveUpAfterMs: GIVE_UP_AFTER_MS,
  onConnection: (connected) => {
    offline.hidden = connected;
  },
});

const board = new UploadBoard({
  client,
  list: required('#lines', HTMLElement),
  words,
  announcer: new Announcer(required('#announcements', HTMLElement), words),
  fallbackFocus: required('#choose', HTMLInputElement),
  onShown: (models) => {
    shown = models;
    showSummary(summarise(models), summaryElements, words);
    keep(models);
  },
});

translate(words);
listenForFiles((files) => board.add(files));
cancelAll.addEventListener('click', () => board.cancelAll());
clearFinished.addEventListener('click', () => board.clearFinished());
addEventListener('online', () => client.wake());
document.addEventListener('visibilitychange', () => {
  // Timers of a sleeping page may be far behind.
  if (!document.hidden) client.wake();
});
addEventListener('beforeunload', (event) => {
  if (shown.some((model) => isBusy(model) && model.phase !== 'following')) event.preventDefault();
});
board.restore(readOpenUploads(storage));

function keep(models: readonly LineModel[]): void {
  const open = models.flatMap(({ handle, name, sizeBytes }) => (handle ? [{ id: handle.id, name, sizeBytes }] : []));
  const ids = open.map(({ id }) => id).join();
  if (ids === kept) return;
  kept = ids;
  writeOpenUploads(storage, open);
}

/** The page comes in English; another language replaces the texts that it has words for. */
function translate({ locale, page, title }: Words): void {
  document.documentElement.lang = locale;
  document.title = title.idle;
  for (const element of document.querySelectorAll<HTMLElement>('[data-words]')) {
    const text = page[element.dataset['words'] ?? ''];
    if (text === undefined) continue;
    if (element.hasAttribute('aria-label')) element.setAttribute('aria-label', text);
    else element.textContent = text;
  }
}
