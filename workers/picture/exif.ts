import type { Buffer } from 'node:buffer';
import { readExif, type ExifDirectory } from './exif-directory.ts';

/** What a camera wrote into a picture; null where it wrote nothing, or nothing that makes sense. */
export interface ExifFacts {
  /** The camera's clock as ISO 8601, with an offset only where the camera knew one. */
  takenAt: string | null;
  /** Make and model as one line. */
  camera: string | null;
}

const MAKE = 0x010f;
const MODEL = 0x0110;
const CHANGED = 0x0132;
const EXIF_IFD = 0x8769;
const TAKEN = 0x9003;
const DIGITIZED = 0x9004;
const CHANGED_OFFSET = 0x9010;
const TAKEN_OFFSET = 0x9011;
const DIGITIZED_OFFSET = 0x9012;

/** Of a block as it lies in the file. Never throws: a picture whose EXIF is broken is still a picture. */
export function exifFacts(block: Buffer | undefined): ExifFacts {
  if (block === undefined) {
    return { takenAt: null, camera: null };
  }
  const image = readExif(block);
  return { takenAt: takenAt(image, image.directory(EXIF_IFD)), camera: camera(image) };
}

/** The moment of the shot before that of its digitizing, and that before the last change of the file. */
function takenAt(image: ExifDirectory, photo: ExifDirectory): string | null {
  return (
    moment(photo.text(TAKEN), photo.text(TAKEN_OFFSET)) ??
    moment(photo.text(DIGITIZED), photo.text(DIGITIZED_OFFSET)) ??
    moment(image.text(CHANGED), photo.text(CHANGED_OFFSET))
  );
}

/** `2024:05:01 12:30:00` is how EXIF writes it. */
function moment(clock = '', offset = ''): string | null {
  const parts = /^(\d{4})[:-](\d\d)[:-](\d\d)[ T](\d\d:\d\d:\d\d)/.exec(clock.trim());
  if (parts === null) {
    return null;
  }
  const local = `${parts[1]}-${parts[2]}-${parts[3]}T${parts[4]}`;
  const known = /^(?:[+-](?:0\d|1[0-4]):[0-5]\d|Z)$/.exec(offset.trim());
  return isMoment(local) ? local + (known?.[0] ?? '') : null;
}

/** A clock that was never set says zeros; a date that is none, such as 31 April, comes out as another. */
function isMoment(local: string): boolean {
  const date = new Date(`${local}Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(local) && date.getUTCFullYear() > 0;
}

/** Most makers put their name into the model as well: `Canon`, `Canon EOS R5`. */
function camera(image: ExifDirectory): string | null {
  const make = line(image.text(MAKE));
  const model = line(image.text(MODEL));
  const brand = make.split(' ', 1).join().toLowerCase();
  const both = model.toLowerCase().startsWith(brand) ? model || make : `${make} ${model}`.trim();
  return both === '' ? null : both;
}

const MAX_LINE_LENGTH = 100;

function line(text = ''): string {
  return text.replace(/[\s\p{Cc}\p{Cf}\uFFFD]+/gu, ' ').trim().slice(0, MAX_LINE_LENGTH).trim();
}
