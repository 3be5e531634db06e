import type { Buffer } from 'node:buffer';
import type { Exposure, Position } from '../../src/wire/documents.ts';
import { readExif, type ExifDirectory } from './exif-directory.ts';
import { GPS, IMAGE, PHOTO } from './exif-tags.ts';

/** What a camera wrote into a picture; null where it wrote nothing, or nothing that makes sense. */
export interface ExifFacts {
  /** The camera's clock as ISO 8601, with an offset only where the camera knew one. */
  takenAt: string | null;
  /** Make and model as one line. */
  camera: string | null;
  /** Make and model as one line. */
  lens: string | null;
  exposure: Exposure | null;
}

/** Of a block as it lies in the file. Never throws: a picture whose EXIF is broken is still a picture. */
export function exifFacts(block: Buffer | undefined): ExifFacts {
  const image = readExif(block);
  const photo = image.directory(IMAGE.photo);
  return {
    takenAt: takenAt(image, photo),
    camera: device(image.text(IMAGE.make), image.text(IMAGE.model)),
    lens: device(photo.text(PHOTO.lensMake), photo.text(PHOTO.lensModel)),
    exposure: exposure(photo),
  };
}

/** Where the camera was, in degrees; null where it did not know. Never throws. */
export function exifPosition(block: Buffer | undefined): Position | null {
  const gps = readExif(block).directory(IMAGE.gps);
  const latitude = degrees(gps.numbers(GPS.latitude), gps.text(GPS.latitudeRef), 'S', 90);
  const longitude = degrees(gps.numbers(GPS.longitude), gps.text(GPS.longitudeRef), 'W', 180);
  if (latitude === null || longitude === null) {
    return null;
  }
  const [metres = Number.NaN] = gps.numbers(GPS.altitude);
  const [isBelowSea = 0] = gps.numbers(GPS.altitudeRef);
  return {
    latitude,
    longitude,
    altitudeM: Number.isFinite(metres) ? rounded(isBelowSea === 1 ? -metres : metres, 1) : null,
  };
}

/** The moment of the shot before that of its digitizing, and that before the last change of the file. */
function takenAt(image: ExifDirectory, photo: ExifDirectory): string | null {
  return (
    moment(photo.text(PHOTO.taken), photo.text(PHOTO.takenOffset)) ??
    moment(photo.text(PHOTO.digitized), photo.text(PHOTO.digitizedOffset)) ??
    moment(image.text(IMAGE.changed), photo.text(PHOTO.changedOffset))
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
function device(makeText: string | undefined, modelText: string | undefined): string | null {
  const make = line(makeText);
  const model = line(modelText);
  const brand = make.split(' ', 1).join().toLowerCase();
  const both = model.toLowerCase().startsWith(brand) ? model || make : `${make} ${model}`.trim();
  return both === '' ? null : both;
}

/** Where the number for the sensitivity does not suffice, it says so by its highest value. */
const SEE_ELSEWHERE = 65_535;

function exposure(photo: ExifDirectory): Exposure | null {
  const sensitivity = positive(photo, PHOTO.sensitivity);
  const found = {
    timeMs: positive(photo, PHOTO.exposureTime, 1000),
    fNumber: positive(photo, PHOTO.fNumber),
    iso: sensitivity === SEE_ELSEWHERE ? positive(photo, PHOTO.recommendedIndex) : sensitivity,
    focalLengthMm: positive(photo, PHOTO.focalLength),
  };
  return Object.values(found).every((value) => value === null) ? null : found;
}

/** Cameras write 0, or 0/0, for what they do not know. */
function positive(table: ExifDirectory, tag: number, factor = 1): number | null {
  const [value = 0] = table.numbers(tag);
  const result = rounded(value * factor, 3);
  return Number.isFinite(result) && result > 0 ? result : null;
}

/** Degrees, minutes and seconds, of which the last may be missing. */
function degrees(
  [whole = Number.NaN, minutes = 0, seconds = 0]: readonly number[],
  reference: string | undefined,
  negative: string,
  most: number,
): number | null {
  const value = whole + minutes / 60 + seconds / 3600;
  if (!(Math.abs(value) <= most)) {
    return null;
  }
  return rounded(reference?.trim().toUpperCase() === negative ? -value : value, 7);
}

function rounded(value: number, digits: number): number {
  return Math.round(value * 10 ** digits) / 10 ** digits;
}

const MAX_LINE_LENGTH = 100;

/** Words of a file as one line that can be shown; empty where there is nothing to show. */
export function line(text = ''): string {
  return text
    .replace(/[\s\p{Cc}\p{Cf}\uFFFD]+/gu, ' ')
    .trim()
    .slice(0, MAX_LINE_LENGTH)
    .trim();
}
