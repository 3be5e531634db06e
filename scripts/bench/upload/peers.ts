import type { TransferForm } from './questions.ts';

/** A server in the comparison. */
export interface UploadPeer {
  /** Name of the peer in the tables. */
  readonly title: string;
  /** File of the peer in `children/`. */
  readonly server: string;
  readonly form: TransferForm;
  readonly path: string;
  readonly settings?: Readonly<Record<string, string>>;
  /** False disables the syncs of files. Default true. It affects only this service. */
  readonly isDurable?: boolean;
  /** True if the service stores its files in the bucket of the run. Default false. */
  readonly hasBucket?: boolean;
}

const FORM = { form: 'form', path: '/uploads' } as const;

export const SERVICE: UploadPeer = { title: 'deferred-uploads, POST', server: 'service', ...FORM };
export const SERVICE_PUT: UploadPeer = {
  title: 'deferred-uploads, PUT',
  server: 'service',
  form: 'put',
  path: '/uploads/{id}',
};
export const SERVICE_UNSYNCED: UploadPeer = { ...SERVICE, title: 'deferred-uploads, POST, no fsync', isDurable: false };
export const SERVICE_PUT_UNSYNCED: UploadPeer = {
  ...SERVICE_PUT,
  title: 'deferred-uploads, PUT, no fsync',
  isDurable: false,
};
/** The worker computes the hash, so that the API does the same work as multer. */
const UNHASHED = { settings: { UPLOAD_HASH: 'worker' }, isDurable: false };
export const SERVICE_UNHASHED: UploadPeer = {
  ...SERVICE,
  ...UNHASHED,
  title: 'deferred-uploads, POST, no hash, no fsync',
};
export const SERVICE_PUT_UNHASHED: UploadPeer = {
  ...SERVICE_PUT,
  ...UNHASHED,
  title: 'deferred-uploads, PUT, no hash, no fsync',
};
const BUSBOY: UploadPeer = { title: 'busboy + SHA-256', server: 'busboy', ...FORM };
export const FORMIDABLE: UploadPeer = { title: 'formidable + SHA-256', server: 'formidable', ...FORM };
export const FORMIDABLE_SYNCED: UploadPeer = {
  ...FORMIDABLE,
  title: 'formidable + SHA-256, with fsync added',
  settings: { SYNC: 'on' },
};
export const MULTER: UploadPeer = { title: 'multer, no hash', server: 'multer', ...FORM };
const TUS: UploadPeer = { title: '@tus/server, no hash', server: 'tus', form: 'tus', path: '/files' };
const IN_PARTS = { form: 'tus-parts', path: '/files' } as const;
export const SERVICE_PARTS: UploadPeer = { title: 'deferred-uploads, tus, fsync', server: 'service', ...IN_PARTS };
export const SERVICE_PARTS_UNSYNCED: UploadPeer = {
  ...SERVICE_PARTS,
  title: 'deferred-uploads, tus, no fsync',
  isDurable: false,
};
export const TUS_PARTS: UploadPeer = { title: '@tus/server, file store, no fsync', server: 'tus', ...IN_PARTS };
export const TUS_PARTS_SYNCED: UploadPeer = {
  ...TUS_PARTS,
  title: '@tus/server, file store, with fsync added',
  settings: { SYNC: 'on' },
};
export const KOA_MULTER: UploadPeer = { title: 'Koa + multer + Queue.add', server: 'koa-multer', ...FORM };

const SERVICE_DIRECT: UploadPeer = {
  title: 'deferred-uploads, straight to the bucket',
  server: 'service',
  form: 'direct',
  path: '/uploads/direct',
  hasBucket: true,
};
export const SERVICE_PUT_BUCKET: UploadPeer = {
  ...SERVICE_PUT,
  title: 'deferred-uploads, PUT, bucket',
  hasBucket: true,
};
const SERVICE_PARTS_BUCKET: UploadPeer = { ...SERVICE_PARTS, title: 'deferred-uploads, tus, bucket', hasBucket: true };

/** The peers for large files. */
export const FILE_PEERS: readonly UploadPeer[] = [
  SERVICE,
  SERVICE_PUT,
  SERVICE_UNSYNCED,
  SERVICE_PUT_UNSYNCED,
  SERVICE_UNHASHED,
  SERVICE_PUT_UNHASHED,
  BUSBOY,
  FORMIDABLE,
  FORMIDABLE_SYNCED,
  MULTER,
  TUS,
];

/** The peers for files in parts of 8 MiB. */
export const PARTS_PEERS: readonly UploadPeer[] = [SERVICE_PARTS, TUS_PARTS_SYNCED, SERVICE_PARTS_UNSYNCED, TUS_PARTS];

/** The ways to a bucket. */
export const BUCKET_PEERS: readonly UploadPeer[] = [SERVICE_DIRECT, SERVICE_PUT_BUCKET, SERVICE_PARTS_BUCKET];

/** The peers that queue pictures. */
export const PICTURE_PEERS: readonly UploadPeer[] = [KOA_MULTER, SERVICE, SERVICE_UNSYNCED];
