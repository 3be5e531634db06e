import type { Words } from './words.ts';

const STEPS: Readonly<Record<string, string>> = {
  inspect: 'Reading its details',
  decode: 'Opening the picture',
  orient: 'Turning it upright',
  variants: 'Making smaller versions',
  rows: 'Reading the rows',
};

const TYPES: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'whole number',
  number: 'number',
  boolean: 'yes or no',
  date: 'date',
  datetime: 'time',
  empty: 'empty',
};

/** Where the server's detail is not the best that can be said to whoever sits before the page. */
const PROBLEMS: Readonly<Record<string, string>> = {
  connection_lost: 'The server could not be reached. Check the connection, then try again.',
  unexpected_answer: 'The server sent something this page does not understand. Try again later.',
  unsupported_media_type:
    'This is neither a picture nor a table that can be taken. JPEG, PNG, WebP, AVIF, GIF and TIFF are welcome, CSV, TSV and XLSX too.',
  empty_file: 'There is nothing in this file.',
  upload_interrupted: 'The connection broke before everything was sent. Try again.',
  upload_too_slow: 'Sending stopped for too long. Try again.',
  queue_full: 'Too many files are waiting at the moment. Try again later.',
  too_many_records: 'The service keeps too many files at the moment. Try again later.',
  too_many_records_by_address: 'The service keeps too many of your files at the moment. Try again later.',
  too_many_queued_by_address: 'Too many of your files are waiting at the moment. Try again later.',
  upload_discarded: 'The queue was full and this file had to give way. Try again.',
  upload_gone: 'This file has expired or was deleted.',
  unknown_upload: 'The server does not know this file. Send it again.',
};

/** British English. */
export const english: Words = {
  locale: 'en-GB',
  page: {
    heading: 'Bring your files',
    lead: 'They queue and are worked on in the background. Follow each one here, from its first byte to its result.',
    drop: 'Drop or paste files here',
    release: 'Let go to send them',
    hint: 'Pictures as JPEG, PNG, WebP, AVIF, GIF and TIFF are welcome, tables as CSV, TSV and XLSX.',
    choose: 'Choose files',
    camera: 'Take a photo',
    folder: 'Choose a folder',
    'no-workers': 'No worker is running on the server, so files wait. They go on by themselves as soon as one is.',
    offline: 'The server cannot be reached just now. Everything goes on by itself when it can.',
    list: 'Your files',
    overall: 'Overall progress',
    'cancel-all': 'Cancel all',
    'clear-finished': 'Clear finished',
    reference: 'API reference',
    client: 'Browser client',
  },
  files: (count) => (count === 1 ? '1 file' : `${count} files`),
  waiting: 'Waiting to be sent',
  sending: (received, total) => `Sending, ${received} of ${total}`,
  pausedEarly: 'Paused',
  paused: (received, total) => `Paused at ${received} of ${total}`,
  retrying: 'Connection lost, trying again soon',
  queued: (position) => {
    if (position === null) return 'In the queue';
    return position === 1 ? 'Next in the queue' : `Number ${position} in the queue`;
  },
  step: (stage) => STEPS[stage] ?? 'Working on it',
  attempt: (attempt) => `attempt ${attempt}`,
  finishing: 'Finishing',
  cancelling: 'Cancelling',
  done: 'Done',
  cancelled: 'Cancelled',
  timeLeft: (duration) => `about ${duration} left`,
  problem: ({ code, detail, title }) => PROBLEMS[code] ?? (detail || title),
  needsFile: 'Not everything was sent before the page was closed. Choose the file again, and it goes on where it was.',
  wrongFile: (expected) => `That was another file. This line waits for ${expected}.`,
  actions: {
    pause: (name) => `Pause ${name}`,
    resume: (name) => `Resume ${name}`,
    cancel: (name) => `Cancel ${name}`,
    remove: (name) => `Remove ${name} from the list`,
    retry: 'Try again',
    chooseAgain: 'Choose again',
    named: (action, name) => `${action}: ${name}`,
    pauseAll: 'Pause all',
    resumeAll: 'Resume all',
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
    notCopied: 'Copying is not possible here',
  },
  table: {
    size: 'Size',
    sizeOf: (rows, columns) => `${rows} rows, ${columns} columns`,
    encoding: 'Encoding',
    sheet: 'Sheet',
    firstRows: 'First rows',
    type: (type) => TYPES[type] ?? type,
    errors: (count) => `Rows left out: ${count}`,
    error: (line, _code, message) => `Line ${line}: ${message}`,
    download: 'All rows as JSON Lines',
  },
  summary: (done, total, failed) => {
    const all = `${done} of ${total} done`;
    return failed === 0 ? all : `${all}, ${failed} failed`;
  },
  progressOf: (name) => `Progress of ${name}`,
  title: {
    idle: 'Deferred uploads',
    busy: (percent) => `${percent} · Deferred uploads`,
    over: (done) => `${done} done · Deferred uploads`,
  },
  spoken: {
    added: (count) => `${count === 1 ? '1 file' : `${count} files`} added.`,
    done: (name) => `${name} is done.`,
    manyDone: (count) => `${count} files are done.`,
    failed: (name, why) => `${name}: ${why}`,
    manyFailed: (count) => `${count} files have failed.`,
  },
};
