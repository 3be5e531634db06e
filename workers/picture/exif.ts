import type { Buffer } from 'node:buffer';
import type { Exposure, Position } from '../../src/wire/documents.ts';
import { readExif, type ExifDirectory } from './exif-directory.ts';
import { GPS, IMAGE, PHOTO } from './exif-tags.ts';

/** Facts that a camera wrote into a picture. Null: the value is missing or makes no sense. */
interface ExifFacts {
  /** The time of the camera's clock as ISO 8601. It has an offset only if the camera wrote one. */
  takenAt: string | null;
  /** Make and model in one line. */
  camera: string | null;
  /** Make and model in one line. */
  lens: string | null;
  exposure: Exposure | null;
}

/** Reads the facts from an EXIF block. Never throws, because a picture with broken EXIF is still a valid picture. */
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

/** Returns the position of the camera in degrees, or null if there is none. Never throws. */
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

/** Returns the time of the shot, or else the time of digitizing, or else that of the last change of the file. */
function takenAt(image: ExifDirectory, photo: ExifDirectory): string | null {
  return (
    moment(photo.text(PHOTO.taken), photo.text(PHOTO.takenOffset)) ??
    moment(photo.text(PHOTO.digitized), photo.text(PHOTO.digitizedOffset)) ??
    moment(image.text(IMAGE.changed), photo.text(PHOTO.changedOffset))
  );
}

/** Converts a time such as `2024:05:01 12:30:00` to ISO 8601. */
function moment(clock = '', offset = ''): string | null {
  const parts = /^(\d{4})[:-](\d\d)[:-](\d\d)[ T](\d\d:\d\d:\d\d)/.exec(clock.trim());
  if (parts === null) {
    return null;
  }
  const local = `${parts[1]}-${parts[2]}-${parts[3]}T${parts[4]}`;
  const known = /^(?:[+-](?:0\d|1[0-4]):[0-5]\d|Z)$/.exec(offset.trim());
  return isMoment(local) ? local + (known?.[0] ?? '') : null;
}

/** False for a clock that was never set (all zeros) and for a date that does not exist, such as 31 April. */
function isMoment(local: string): boolean {
  const date = new Date(`${local}Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(local) && date.getUTCFullYear() > 0;
}

/** Returns make and model in one line. The make is left out if the model begins with it: `Canon`, `Canon EOS R5`. */
function device(makeText: string | undefined, modelText: string | undefined): string | null {
  const make = line(makeText);
  const model = line(modelText);
  const brand = make.split(' ', 1).join().toLowerCase();
  const both = model.toLowerCase().startsWith(brand) ? model || make : `${make} ${model}`.trim();
  return both === '' ? null : both;
}

/** The highest value of the sensitivity tag means that another tag holds the value. */
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

/** Returns a number above zero, or null. Cameras write 0 or 0/0 for unknown values. */
function positive(table: ExifDirectory, tag: number, factor = 1): number | null {
  const [value = 0] = table.numbers(tag);
  const result = rounded(value * factor, 3);
  return Number.isFinite(result) && result > 0 ? result : null;
}

/** Converts degrees, minutes and seconds to degrees. Minutes and seconds may be missing. */
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

/** Returns text of a file as one printable line of at most 100 characters. It may be empty. */
export function line(text = ''): string {
  return text
    .replace(/[\s\p{Cc}\p{Cf}\uFFFD]+/gu, ' ')
    .trim()
    .slice(0, MAX_LINE_LENGTH)
    .trim();
}
