import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  paginateListObjectsV2,
  PutObjectCommand,
  type S3Client,
  type _Object as S3Object,
} from '@aws-sdk/client-s3';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { S3Settings } from '../settings/s3-settings.ts';
import { convertErrors } from './convert-errors.ts';
import { copyInRanges } from './join-pieces.ts';
import { MARKER_KEY, newNonce, parseKey, requireKey } from './keys.ts';
import { newCopyPath, removeAbandonedCopies } from './local-copies.ts';
import { createClient, createSigner, placeOf, plainClient, type S3Place } from './s3-client.ts';
import { asServiceError as ofDisk } from './file-errors.ts';
import { firstForeignName } from './foreign-names.ts';
import { asServiceError, isMissing, isNotImplemented, isTaken, isUnsupportedCopy } from './s3-errors.ts';
import { S3Direct } from './s3-direct.ts';
import { startError } from './s3-start-error.ts';
import { abortUnfinished } from './s3-unfinished.ts';
import { S3Writer } from './s3-writer.ts';
import type { ByteRange, LocalFile, MayRemove, ObjectWriter, Storage, StoredObject } from './storage.ts';

const SILENCE_MS = 30_000;

/** Stores objects in a bucket of S3 or of a compatible server. */
export class S3Storage implements Storage {
  readonly direct: S3Direct;
  readonly #client: S3Client;
  /** Clients with other settings than the first one, if they are needed. */
  readonly #others: readonly S3Client[];
  readonly #place: S3Place;
  readonly #settings: S3Settings;
  readonly #localDirectory: string;

  /**
   * @param setting `s3://bucket/prefix`.
   * @param options.silenceMs a request fails if no byte moves for this time. Default 30,000.
   * @param options.localDirectory the folder for local copies until they are released. Default: the system's.
   */
  constructor(setting: string, settings: S3Settings, options: { silenceMs?: number; localDirectory?: string } = {}) {
    this.#client = createClient(settings, options.silenceMs ?? SILENCE_MS);
    const plain = plainClient(this.#client, settings, options.silenceMs ?? SILENCE_MS);
    const signer = createSigner(plain, settings);
    this.#others = [plain, signer].filter((client) => client !== this.#client);
    this.#place = placeOf(setting);
    this.#settings = settings;
    this.#localDirectory = options.localDirectory ?? tmpdir();
    this.direct = new S3Direct({
      client: plain,
      signer,
      bucket: this.#place.bucket,
      nameOf: (key) => this.#nameOf(key),
    });
  }

  /**
   * Removes local copies that killed processes left. Call it at the start. Does nothing if the folder cannot be read.
   */
  async removeAbandonedCopies(): Promise<number> {
    return await removeAbandonedCopies(this.#localDirectory).catch(() => 0);
  }

  /**
   * Rejects with `ConfigError` if bucket, region or credentials are wrong, and with a plain error if S3 does not
   * respond.
   */
  async check(): Promise<void> {
    const { bucket, prefix } = this.#place;
    try {
      await this.#client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, MaxKeys: 1 }));
    } catch (error) {
      throw startError(error, bucket, this.#settings.endpoint);
    }
  }

  async create(key: string): Promise<ObjectWriter> {
    const checksums = this.#settings.checksums === 'WHEN_SUPPORTED';
    return new S3Writer({ client: this.#client, bucket: this.#place.bucket, name: this.#nameOf(key), checksums });
  }

  async createOnce(key: string, bytes: Buffer): Promise<boolean> {
    const object = { ...this.#address(key), Body: bytes };
    try {
      await this.#client.send(new PutObjectCommand({ ...object, IfNoneMatch: '*' }));
      return true;
    } catch (error) {
      if (isTaken(error)) return false;
      if (!isNotImplemented(error)) throw asServiceError(error);
    }
    if ((await this.stat(key)) !== undefined) return false;
    await this.#client.send(new PutObjectCommand(object)).catch(rethrow);
    return true;
  }

  /** Copies an object, in ranges if it is larger than 5 GiB, the limit of S3 for one request. */
  async duplicate(from: string, to: string): Promise<boolean> {
    const { Bucket, Key } = this.#address(from);
    const copy = new CopyObjectCommand({ ...this.#address(to), CopySource: encodeURI(`${Bucket}/${Key}`) });
    try {
      await this.#client.send(copy);
      return true;
    } catch (error) {
      if (isMissing(error)) return false;
      if (!isUnsupportedCopy(error)) throw asServiceError(error);
      const object = await this.stat(from);
      if (object === undefined) return false;
      if (await copyInRanges(this.direct, object, to)) return true;
      throw error;
    }
  }

  async read(key: string, range?: ByteRange): Promise<Readable | undefined> {
    const Range = range === undefined ? {} : { Range: `bytes=${range.start}-${range.end}` };
    const found = await undefinedIfMissing(
      this.#client.send(new GetObjectCommand({ ...this.#address(key), ...Range })),
    );
    if (found === undefined) return undefined;
    if (!(found.Body instanceof Readable)) throw new Error('S3 gave no body');
    return convertErrors(found.Body, asServiceError);
  }

  async stat(key: string): Promise<StoredObject | undefined> {
    const found = await undefinedIfMissing(this.#client.send(new HeadObjectCommand(this.#address(key))));
    return found === undefined
      ? undefined
      : { key, sizeBytes: found.ContentLength ?? 0, modifiedAt: found.LastModified ?? new Date(0) };
  }

  async *list(prefix: string): AsyncIterable<StoredObject> {
    for await (const page of this.#pagesOf(this.#beginningOf(prefix))) {
      for (const { Key, Size, LastModified } of page) {
        const key = Key?.slice(this.#root().length) ?? '';
        if (parseKey(key) !== undefined) yield { key, sizeBytes: Size ?? 0, modifiedAt: LastModified ?? new Date(0) };
      }
    }
  }

  async remove(key: string): Promise<void> {
    await this.#client.send(new DeleteObjectCommand(this.#address(key))).catch(rethrow);
  }

  /** Aborts multipart uploads first, so that none is completed after the removal. */
  async removeAll(prefix: string): Promise<void> {
    const beginning = `${this.#nameOf(prefix)}/`;
    const isOwn = (name: string) => this.#isOwn(name);
    await abortUnfinished(this.#client, this.#place.bucket, beginning, { isOwn }).catch(rethrow);
    for await (const page of this.#pagesOf(beginning)) await this.#removeTogether(page);
  }

  async removeUnfinished(prefix: string, before: Date, mayRemove?: MayRemove): Promise<string[]> {
    const isOwn = (name: string) => this.#isOwn(name);
    const keyOf = (name: string) => name.slice(this.#root().length);
    const mayAbort = async (name: string, modifiedAt: Date) =>
      (await mayRemove?.({ key: keyOf(name), modifiedAt })) !== false;
    const options = { isOwn, before, mayAbort };
    const aborting = abortUnfinished(this.#client, this.#place.bucket, this.#beginningOf(prefix), options);
    return (await aborting.catch(rethrow)).map(keyOf);
  }

  async probe(kind: 'full' | 'cheap'): Promise<void> {
    if (kind === 'cheap') {
      await this.stat(MARKER_KEY);
      return;
    }
    const address = this.#address(`${MARKER_KEY}.${newNonce()}.probe`);
    const remove = () => this.#client.send(new DeleteObjectCommand(address));
    await this.#client.send(new PutObjectCommand({ ...address, Body: 'probe' })).catch(async (error: unknown) => {
      // The object may be stored although the answer was lost.
      await remove().catch(() => undefined);
      throw asServiceError(error);
    });
    await remove().catch(rethrow);
  }

  async foreignName(): Promise<string | undefined> {
    return await firstForeignName((folder) => this.#namesIn(folder));
  }

  async openLocal(key: string): Promise<LocalFile | undefined> {
    const bytes = await this.read(key);
    if (bytes === undefined) return undefined;
    const path = newCopyPath(this.#localDirectory);
    const release = () => rm(path, { force: true });
    const copy = createWriteStream(path, { flags: 'wx', mode: 0o600 });
    const closed = new Promise<void>((resolve) => copy.once('close', () => resolve()));
    try {
      await pipeline(bytes, copy);
      return { path, release };
    } catch (error) {
      // The pipeline may fail before the file is created.
      await closed;
      await release();
      throw ofDisk(asServiceError(error));
    }
  }

  async close(): Promise<void> {
    for (const client of [this.#client, ...this.#others]) client.destroy();
  }

  /** Yields pages of at most 1000 objects, which one request can remove. */
  async *#pagesOf(beginning: string): AsyncIterable<S3Object[]> {
    const input = { Bucket: this.#place.bucket, Prefix: beginning };
    try {
      for await (const { Contents } of paginateListObjectsV2({ client: this.#client }, input)) yield Contents ?? [];
    } catch (error) {
      throw asServiceError(error);
    }
  }

  /** Returns the names directly below a folder, from the first page of the listing. */
  async #namesIn(folder: string): Promise<string[]> {
    const beginning = this.#beginningOf(folder);
    const input = { Bucket: this.#place.bucket, Prefix: beginning, Delimiter: '/' };
    const { Contents, CommonPrefixes } = await this.#client.send(new ListObjectsV2Command(input)).catch(rethrow);
    const names = [...(Contents ?? []).map(({ Key }) => Key), ...(CommonPrefixes ?? []).map(({ Prefix }) => Prefix)];
    return names.map((name = '') => name.slice(beginning.length).replace(/\/$/, '')).filter((name) => name !== '');
  }

  async #removeTogether(objects: readonly S3Object[]): Promise<void> {
    const names = objects.flatMap(({ Key }) => (Key === undefined || !this.#isOwn(Key) ? [] : [{ Key }]));
    if (names.length === 0) return;
    const command = new DeleteObjectsCommand({ Bucket: this.#place.bucket, Delete: { Objects: names, Quiet: true } });
    const { Errors } = await this.#client.send(command).catch(rethrow);
    const [first] = Errors ?? [];
    if (first !== undefined)
      throw new Error(`S3 did not remove ${Errors?.length} objects: ${first.Code} ${first.Message}`);
  }

  #isOwn(name: string): boolean {
    return name.startsWith(this.#root()) && parseKey(name.slice(this.#root().length)) !== undefined;
  }

  #address(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.#place.bucket, Key: this.#nameOf(key) };
  }

  #nameOf(key: string): string {
    return this.#root() + requireKey(key);
  }

  #beginningOf(prefix: string): string {
    return prefix === '' ? this.#root() : `${this.#nameOf(prefix)}/`;
  }

  /** Returns the beginning of every object name: the prefix and a slash, or nothing. */
  #root(): string {
    return this.#place.prefix === '' ? '' : `${this.#place.prefix}/`;
  }
}

async function undefinedIfMissing<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw asServiceError(error);
  }
}

function rethrow(error: unknown): never {
  throw asServiceError(error);
}
