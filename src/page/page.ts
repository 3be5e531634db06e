import { Announcer } from './announcer.ts';
import { ConnectionNotice } from './connection-notice.ts';
import { deleteUpload } from './delete-upload.ts';
import { required, setText } from './dom.ts';
import { FileKeeper } from './file-keeper.ts';
import { type FileLimits, readLimits } from './file-limits.ts';
import { openFileStore } from './file-store.ts';
import { Filters } from './filters.ts';
import { formatDuration, formatLimit } from './format.ts';
import { chooseOne, listenForFiles } from './intake.ts';
import { type KeptUpload, KeptUploads } from './kept-uploads.ts';
import { chosenWords, offerLanguages } from './language-switch.ts';
import { isBusy, type LineModel } from './line-model.ts';
import { ListTools } from './list-tools.ts';
import { announcePage } from './open-pages.ts';
import { PageTicket } from './page-ticket.ts';
import { paintSamples } from './sample-photos.ts';
import { createSendingFetch } from './sending-fetch.ts';
import { summarise } from './summary.ts';
import { SummaryView } from './summary-view.ts';
import { translate } from './translate.ts';
import { UndoBar } from './undo-bar.ts';
import { UploadBoard } from './upload-board.ts';
import { type ViewedPicture, Viewer } from './viewer.ts';
import { countWorkers, WorkerWatch } from './worker-watch.ts';
import { createUploadClient } from '../client/upload-client.ts';
import { uploadId } from '../client/upload-id.ts';

/** Uploads are given up after this time, so that a laptop that was closed for some hours continues them. */
const GIVE_UP_AFTER_MS = 4 * 3_600_000;

/** Size of a part. A proxy that buffers a part loses all of it if the connection breaks. */
const PART_BYTES = 4 * 2 ** 20;

/** The path of the service, without a slash at the end: empty at the root of the host. */
const BASE = new URL('.', import.meta.url).pathname.slice(0, -1);

const words = await chosenWords(() => localStorage, navigator.languages);
const pauseAll = required('#pause-all', HTMLButtonElement);
const cancelAll = required('#cancel-all', HTMLButtonElement);
const hideFinished = required('#hide-finished', HTMLButtonElement);
const uploads = required('#uploads', HTMLElement);

const openPages = announcePage(uploadId(), BASE);
const kept = new KeptUploads(() => localStorage, openPages.name, BASE);
const files = openFileStore(BASE);
const keeper = new FileKeeper(files);

const ticket = new PageTicket({ location, history, storage: () => sessionStorage, base: BASE });

const client = createUploadClient({
  baseUrl: BASE,
  giveUpAfterMs: GIVE_UP_AFTER_MS,
  partBytes: PART_BYTES,
  fetch: createSendingFetch({
    fetch: (input, init) => fetch(input, init),
    createRequest: () => new XMLHttpRequest(),
    onSent: (id, bytes) => board.sent(id, bytes),
    onAnswer: () => isConnected || client.wake(),
  }),
  ticket: () => ticket.current,
  onConnection: (connected, nextTryMs) => {
    isConnected = connected;
    board.setOffline(!connected);
    if (connected) notice.restored();
    else notice.lost(nextTryMs);
  },
});

const notice = new ConnectionNotice(
  {
    notice: required('#offline', HTMLElement),
    nextTry: required('#next-try', HTMLElement),
    tryNow: required('#try-now', HTMLButtonElement),
  },
  words,
  () => client.wake(),
);

const announcer = new Announcer(required('#announcements', HTMLElement), words);
const summaryView = new SummaryView(
  {
    section: uploads,
    text: required('#summary', HTMLElement),
    bytes: required('#summary-bytes', HTMLElement),
    timeLeft: required('#time-left', HTMLElement),
    bar: required('#overall', HTMLProgressElement),
    pauseAll,
    cancelAll,
    hideFinished,
  },
  words,
);

const filters = new Filters(required('#filters', HTMLElement), uploads, words);

const noWorkers = required('#no-workers', HTMLElement);
const workerWatch = new WorkerWatch({
  countWorkers: () => countWorkers(BASE),
  show(areNone) {
    noWorkers.hidden = !areNone;
  },
});

const undoBar = new UndoBar(
  {
    bar: required('#undo-bar', HTMLElement),
    text: required('#undo-text', HTMLElement),
    undo: required('#undo', HTMLButtonElement),
  },
  required('#choose', HTMLInputElement),
);

let shown: readonly LineModel[] = [];
let isConnected = true;
const board = new UploadBoard({
  client,
  list: required('#list', HTMLElement),
  words,
  announcer,
  fallbackFocus: required('#choose', HTMLInputElement),
  chooseOne,
  offerUndo: (kind, actions) => undoBar.offer(kind, actions),
  deleteUpload: (id) => deleteUpload(id, BASE),
  view: (upload) => viewer.open(upload),
  onShown: (models) => {
    shown = models;
    const summary = summarise(models);
    summaryView.show(summary, isConnected);
    filters.show(summary);
    tools.show(models);
    viewer.refresh();
    if (summary.busy === 0) announcer.settled();
    kept.write(models);
    keeper.follow(models);
    workerWatch.follow(models);
  },
});

const tools = new ListTools({ words, base: BASE, models: () => shown, sortBy: (sort) => board.sortBy(sort) });
const viewer = new Viewer({ words, base: BASE, pictures: () => board.sorted.flatMap(asViewed) });

const limitsNote = required('#limits', HTMLElement);
let limits: FileLimits | null = null;

translate(words);
offerLanguages(words, () => localStorage, rebuild);
void applyLimits();
listenForFiles((chosen) => board.add(chosen));
const samples = required('#samples', HTMLButtonElement);
samples.addEventListener('click', () => {
  void paintSamples((number) => words.sampleName(number)).then((painted) => board.add(painted));
});
pauseAll.addEventListener('click', () => (summarise(shown).pausable > 0 ? board.pauseAll() : board.resumeAll()));
cancelAll.addEventListener('click', () => board.cancelAll());
hideFinished.addEventListener('click', () => board.hideFinished());
addEventListener('hashchange', () => {
  ticket.take();
  void applyLimits();
});
addEventListener('online', () => client.wake());
document.addEventListener('visibilitychange', () => {
  // Browsers slow down the timers of hidden pages.
  if (!document.hidden) client.wake();
});
addEventListener('beforeunload', (event) => {
  if (shown.some((model) => isBusy(model) && keeper.lacks(model))) event.preventDefault();
});
addEventListener('pagehide', () => {
  undoBar.flush();
  kept.write(board.models);
});
required('#viewer', HTMLDialogElement).addEventListener('close', () => undoBar.leaveDialog());
void resumeKept();

/** Shows all parts again in another language. */
function rebuild(): void {
  showLimits();
  board.rebuild();
  viewer.rebuild();
}

/** Reads and shows the limits. Call it again if the ticket changes, which may have other limits. */
async function applyLimits(): Promise<void> {
  limits = await readLimits(BASE, ticket.current);
  if (limits) board.setLimits(limits);
  showLimits();
}

function showLimits(): void {
  const { locale } = words;
  const text =
    limits && words.limits(formatLimit(limits.maxFileBytes, locale), formatDuration(limits.retentionMs, locale) ?? '');
  setText(limitsNote, text ?? '');
}

function asViewed(model: LineModel): ViewedPicture[] {
  const { upload } = model;
  if (upload?.result?.kind !== 'picture') return [];
  const actions = { hide: () => board.hide([model]), delete: () => board.delete(model) };
  return [{ upload, result: upload.result, actions }];
}

/** Continues the uploads of earlier pages that are closed now. */
async function resumeKept(): Promise<void> {
  const restored: Promise<void>[] = [];
  await openPages.claimClosed(kept.owners(), (owner) => void restored.push(restore(kept.claim(owner))));
  await Promise.all(restored);
  document.body.setAttribute('data-restored', '');
  const stored = await files.ids().catch(() => []);
  const known = kept.ids();
  for (const id of stored) if (!known.has(id)) await files.remove(id).catch(() => undefined);
}

async function restore(orphans: readonly KeptUpload[]): Promise<void> {
  for (const orphan of orphans) {
    const file = await files.get(orphan.id).catch(() => null);
    if (file) keeper.found(orphan.id);
    board.restore(orphan, file);
  }
}
