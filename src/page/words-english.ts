import type { Words } from './words.ts';

const STEPS: Readonly<Record<string, string>> = {
  inspect: 'Reading the file details',
  decode: 'Opening the picture',
  orient: 'Rotating the picture',
  variants: 'Making smaller versions',
  rows: 'Reading the rows',
};

const TYPES: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'whole number',
  number: 'number',
  boolean: 'yes or no',
  date: 'date',
  datetime: 'date and time',
  time: 'time',
  duration: 'duration',
  empty: 'empty',
};

/** By the name of the quota. */
const QUOTAS: Readonly<Record<string, string>> = {
  waiting: 'Too many of your files are waiting to be processed. Try again later.',
  receiving: 'Too many of your files are being uploaded at the same time. Try again soon.',
  uploadsPerDay: 'The number of uploads for today is used up. Try again tomorrow.',
  bytesPerDay: 'The amount of data for today is used up. Try again tomorrow.',
  storedBytes: 'Your storage space is used up. Delete files, or try again when older ones have expired.',
  createPerMinute: 'Too many uploads were started within a minute. Try again in a minute.',
};

/** Why the server refused a file for now, by the name of the quota or the code. */
const REFUSALS: Readonly<Record<string, string>> = {
  waiting: 'Too many of your files are waiting',
  receiving: 'Too many of your files are being uploaded',
  uploadsPerDay: 'The number of uploads for today is used up',
  bytesPerDay: 'The amount of data for today is used up',
  storedBytes: 'Your storage space is used up',
  createPerMinute: 'Too many uploads within a minute',
  queue_full: 'Too many files are waiting',
  too_many_queued_by_address: 'Too many of your files are waiting',
};

/** Replaces the server's detail if a shorter or clearer text helps the user of the page more. */
const PROBLEMS: Readonly<Record<string, string>> = {
  connection_lost: 'The server could not be reached. Check your connection, then try again.',
  unexpected_answer: 'The server sent an answer that this page does not understand. Try again later.',
  unsupported_media_type:
    'This is neither a picture nor a table that can be processed. Upload JPEG, HEIC, PNG, WebP, AVIF, GIF, TIFF, ' +
    'CSV, TSV or XLSX.',
  empty_file: 'This file is empty. Choose another file.',
  upload_interrupted: 'The connection broke before the upload finished. Try again.',
  upload_too_slow: 'No data arrived for too long, so the upload was stopped. Try again.',
  queue_full: 'Too many files are waiting to be processed. Try again later.',
  too_many_records: 'The server stores too many files. Try again later.',
  too_many_records_by_address: 'The server stores too many of your files. Try again later.',
  too_many_queued_by_address: 'Too many of your files are waiting to be processed. Try again later.',
  upload_discarded: 'The queue was full, so the server removed this file from it. Try again.',
  upload_gone: 'This file has expired or was deleted.',
  unknown_upload: 'The server does not have this file. Upload it again.',
  ticket_required: 'This server accepts files only with an upload link. Open the link that your application gives you.',
  ticket_invalid: 'The upload link is not valid. Open a new one in your application, then try again.',
  ticket_expired: 'The upload link has expired. Open a new one in your application, then try again.',
  ticket_unavailable: 'The application does not allow this upload now. Sign in again, then try again.',
};

/** The texts in British English. */
export const english: Words = {
  locale: 'en-GB',
  page: {
    heading: 'Upload files',
    lead: 'Files are processed in the background. Follow each one here until its result is ready.',
    drop: 'Drop or paste files here',
    touch: 'Add photos or tables',
    release: 'Drop to upload',
    hint: 'Pictures (JPEG, HEIC, PNG, WebP, AVIF, GIF, TIFF) and tables (CSV, TSV, XLSX).',
    choose: 'Choose files',
    camera: 'Take a photo',
    folder: 'Choose a folder',
    'no-workers':
      'The server has no running worker, so your files wait. Processing continues by itself when a worker starts.',
    offline: 'The server cannot be reached. Your uploads continue by themselves when the connection is back.',
    'try-now': 'Try now',
    list: 'Your files',
    overall: 'Overall progress',
    'cancel-all': 'Cancel all',
    'hide-finished': 'Hide finished',
    show: 'Show',
    pictures: 'Your pictures',
    undo: 'Undo',
    'download-all': 'Download all',
    sort: 'Order',
    'sort-added': 'As added',
    'sort-colour': 'By colour',
    'sort-taken': 'By date taken',
    viewer: 'Picture',
    'viewer-previous': 'Previous picture',
    'viewer-next': 'Next picture',
    'viewer-close': 'Close',
    'viewer-gone': 'This picture has expired or was deleted.',
    reference: 'API reference',
    client: 'Browser client',
  },
  files: (count) => (count === 1 ? '1 file' : `${count} files`),
  waiting: 'Waiting to upload',
  sending: (received, total) => `Sending, ${received} of ${total}`,
  pausedEarly: 'Paused',
  paused: (received, total) => `Paused at ${received} of ${total}`,
  retrying: 'Connection lost, trying again soon',
  waitingForServer: 'Waiting for the server',
  nextTry: (seconds) => `Next try in ${seconds} s.`,
  refused: ({ code, limit }) => `${REFUSALS[limit ?? code] ?? 'The server is busy'}, trying again later`,
  queued: (position) => {
    if (position === null) return 'In the queue';
    return position === 1 ? 'Next in the queue' : `Number ${position} in the queue`;
  },
  step: (stage) => STEPS[stage] ?? 'Processing',
  attempt: (attempt) => `attempt ${attempt}`,
  finishing: 'Finishing',
  cancelling: 'Cancelling',
  done: 'Done',
  doneWithNotes: 'Done, with notes',
  cancelled: 'Cancelled',
  timeLeft: (duration) => `about ${duration} left`,
  problem: ({ code, limit, detail, title }) => QUOTAS[limit ?? ''] ?? PROBLEMS[code] ?? (detail || title),
  needsFile: 'The page was closed before the upload finished. Choose the file again to resume.',
  wrongFile: (expected) => `That was another file. Choose ${expected} to resume.`,
  actions: {
    pause: (name) => `Pause ${name}`,
    resume: (name) => `Resume ${name}`,
    cancel: (name) => `Cancel ${name}`,
    hide: (name) => `Hide ${name}`,
    delete: (name) => `Delete ${name} from the server`,
    retry: 'Try again',
    chooseAgain: 'Choose again',
    named: (action, name) => `${action}: ${name}`,
    pauseAll: 'Pause all',
    resumeAll: 'Resume all',
  },
  hidden: (count) => (count === 1 ? 'Hidden. The file stays on the server.' : `${count} files hidden.`),
  deleted: (count) => (count === 1 ? 'Deleted from the server.' : `${count} files deleted from the server.`),
  notDeleted: 'The server could not be reached, so the file was not deleted.',
  kept: (until) =>
    `Finished files are kept until ${until}, then deleted. Until then anyone with a copied link can open that file.`,
  viewer: {
    picture: 'Shared picture',
    place: (position, count) => `${position} of ${count}`,
    until: (until) => `Anyone with the link can see this picture until ${until}. Then it is deleted.`,
    download: 'Download original',
    hide: 'Hide',
    delete: 'Delete from server',
  },
  facts: {
    dimensions: 'Dimensions',
    format: 'Format',
    camera: 'Camera',
    lens: 'Lens',
    exposure: 'Exposure',
    taken: 'Taken',
    colour: 'Main colour',
  },
  links: {
    open: (name) => `Open ${name}`,
    variants: 'Versions',
    original: 'Original',
    copy: 'Copy link',
    copied: 'Link copied',
    notCopied: 'The browser does not allow copying',
  },
  table: {
    size: 'Size',
    sizeOf: (rows, columns) => `${rows} rows, ${columns} columns`,
    encoding: 'Encoding',
    sheet: 'Sheet',
    firstRows: 'First rows',
    type: (type) => TYPES[type] ?? type,
    notes: 'Notes on this result',
    rowsSkipped: (count) => `${count} ${count === '1' ? 'row' : 'rows'} skipped`,
    error: (line, _code, message) => `Line ${line}: ${message}`,
    moreErrors: (count) => `${count} more ${count === '1' ? 'row' : 'rows'} with errors`,
    moreColumns: (count) => `${count} more ${count === '1' ? 'column' : 'columns'}`,
    warning: (_code, message) => message,
    download: 'All rows as JSON Lines',
  },
  summary: (done, total, failed) => {
    const all = `${done} of ${total} done`;
    return failed === 0 ? all : `${all}, ${failed} failed`;
  },
  sent: (sent, total) => `${sent} of ${total} sent`,
  filters: {
    all: (count) => `All ${count}`,
    working: (count) => `Working ${count}`,
    failed: (count) => `Failed ${count}`,
    done: (count) => `Done ${count}`,
  },
  progressOf: (name) => `Progress of ${name}`,
  title: {
    idle: 'Deferred uploads',
    busy: (percent) => `${percent} · Deferred uploads`,
    over: (done) => `${done} done · Deferred uploads`,
  },
  spoken: {
    added: (count) => `${count === 1 ? '1 file' : `${count} files`} added.`,
    done: (name, hasNotes) => (hasNotes ? `${name} is done, with notes on its result.` : `${name} is done.`),
    manyDone: (count) => `${count} files are done.`,
    failed: (name, reason) => `${name}: ${reason}`,
    manyFailed: (count) => `${count} files have failed.`,
  },
};
