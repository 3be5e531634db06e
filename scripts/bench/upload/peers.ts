import type { TransferForm } from './questions.ts';

/** One of the servers that are compared. */
export interface UploadPeer {
  /** As the tables call it. */
  readonly title: string;
  /** Its file in `children/`. */
  readonly server: string;
  readonly form: TransferForm;
  readonly path: string;
  readonly settings?: Readonly<Record<string, string>>;
  /** Default true, which means something to our service alone. */
  readonly isDurable?: boolean;
}

const FORM = { form: 'form', path: '/uploads' } as const;

export const OURS: UploadPeer = { title: 'deferred-uploads, POST', server: 'ours', ...FORM };
export const OURS_PUT: UploadPeer = {
  title: 'deferred-uploads, PUT',
  server: 'ours',
  form: 'put',
  path: '/uploads/{id}',
};
export const OURS_UNSYNCED: UploadPeer = { ...OURS, title: 'deferred-uploads, POST, no fsync', isDurable: false };
export const OURS_PUT_UNSYNCED: UploadPeer = {
  ...OURS_PUT,
  title: 'deferred-uploads, PUT, no fsync',
  isDurable: false,
};
/** The worker takes the hash; what is left is what multer does. */
const UNHASHED = { settings: { UPLOAD_HASH: 'worker' }, isDurable: false };
export const OURS_UNHASHED: UploadPeer = { ...OURS, ...UNHASHED, title: 'deferred-uploads, POST, no hash, no fsync' };
export const OURS_PUT_UNHASHED: UploadPeer = {
  ...OURS_PUT,
  ...UNHASHED,
  title: 'deferred-uploads, PUT, no hash, no fsync',
};
export const BUSBOY: UploadPeer = { title: 'busboy + SHA-256', server: 'busboy', ...FORM };
export const FORMIDABLE: UploadPeer = { title: 'formidable + SHA-256', server: 'formidable', ...FORM };
export const MULTER: UploadPeer = { title: 'multer, no hash', server: 'multer', ...FORM };
export const TUS: UploadPeer = { title: '@tus/server, no hash', server: 'tus', form: 'tus', path: '/files' };
export const KOA_MULTER: UploadPeer = { title: 'Koa + multer + Queue.add', server: 'koa-multer', ...FORM };

/** Those that take large files. */
export const FILE_PEERS: readonly UploadPeer[] = [
  OURS,
  OURS_PUT,
  OURS_UNSYNCED,
  OURS_PUT_UNSYNCED,
  OURS_UNHASHED,
  OURS_PUT_UNHASHED,
  BUSBOY,
  FORMIDABLE,
  MULTER,
  TUS,
];

/** Those that queue pictures. */
export const PICTURE_PEERS: readonly UploadPeer[] = [KOA_MULTER, OURS, OURS_UNSYNCED];
