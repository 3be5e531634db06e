import type { Buffer } from 'node:buffer';
import { line } from './exif.ts';
import { readExif, type ExifDirectory } from './exif-directory.ts';
import { IMAGE, PHOTO } from './exif-tags.ts';

/** Tags to write, by the names of libexif: the first table, and the table of the photo. */
export interface KeptExif {
  readonly IFD0: Readonly<Record<string, string>>;
  readonly IFD2: Readonly<Record<string, string>>;
}

/**
 * Returns the EXIF tags that may go into a variant. They are written from a list of harmless tags, so that no position,
 * serial number, maker note or old thumbnail is copied from any place.
 */
export function keptExif(block: Buffer | undefined): KeptExif {
  const image = readExif(block);
  const photo = image.directory(IMAGE.photo);
  return {
    IFD0: present({
      Make: line(image.text(IMAGE.make)),
      Model: line(image.text(IMAGE.model)),
      Artist: line(image.text(IMAGE.artist)),
      Copyright: line(image.text(IMAGE.copyright)),
    }),
    IFD2: present({
      DateTimeOriginal: line(photo.text(PHOTO.taken)),
      OffsetTimeOriginal: line(photo.text(PHOTO.takenOffset)),
      LensMake: line(photo.text(PHOTO.lensMake)),
      LensModel: line(photo.text(PHOTO.lensModel)),
      ExposureTime: quotient(photo, PHOTO.exposureTime),
      FNumber: quotient(photo, PHOTO.fNumber),
      ISOSpeedRatings: quotient(photo, PHOTO.sensitivity),
      FocalLength: quotient(photo, PHOTO.focalLength),
    }),
  };
}

function present(tags: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(tags).filter(([, value]) => value !== ''));
}

const MOST = 1e6;

/** Formats a number as EXIF does. Short exposures become 1000/x. Empty if the value makes no sense. */
function quotient(table: ExifDirectory, tag: number): string {
  const [value = 0] = table.numbers(tag);
  if (!(value > 1 / MOST && value < MOST)) {
    return '';
  }
  if (Number.isInteger(value)) {
    return String(value);
  }
  return value < 1 ? `1000/${Math.round(1000 / value)}` : `${Math.round(value * 1000)}/1000`;
}
