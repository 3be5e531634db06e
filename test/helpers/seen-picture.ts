import type { Buffer } from 'node:buffer';
import sharp, { type Metadata } from 'sharp';

export interface SeenPicture {
  metadata: Metadata;
  width: number;
  height: number;
  /** Returns red, green, blue and alpha at a place given as fractions of width and height. */
  at(x: number, y: number): [red: number, green: number, blue: number, alpha: number];
}

/** Decodes a picture as a viewer shows it, for tests of pixels. */
export async function seePicture(bytes: Buffer): Promise<SeenPicture> {
  const metadata = await sharp(bytes).metadata();
  const { data, info } = await sharp(bytes)
    .autoOrient()
    .toColourspace('srgb')
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return {
    metadata,
    width: info.width,
    height: info.height,
    at(x, y) {
      const start = (Math.floor(y * info.height) * info.width + Math.floor(x * info.width)) * 4;
      return [data.readUInt8(start), data.readUInt8(start + 1), data.readUInt8(start + 2), data.readUInt8(start + 3)];
    },
  };
}

/** Returns the name of the nearest plain colour. */
export function colourName([red, green, blue]: readonly [number, number, number, number]): string {
  const strong = [red > 128 ? 'red' : '', green > 128 ? 'green' : '', blue > 128 ? 'blue' : ''].filter(
    (name) => name !== '',
  );
  return strong.length === 3 ? 'white' : strong.join('+') || 'black';
}
