import type { Buffer } from 'node:buffer';

/** Three rows of three factors that convert linear RGB of one colour space to another. */
export type ColourMatrix = readonly (readonly number[])[];

/**
 * How the colours of a profile are converted to sRGB:
 * - `none`: they are sRGB already.
 * - `matrix`: by a matrix in linear light. Both spaces have the tone curve of sRGB, as Display P3 of phones does.
 * - `hdr`: by an HDR curve, a tone map and a matrix. The levels have `bits` bits.
 * - `managed`: by the colour management of libvips.
 */
export type WayToSrgb =
  | { readonly method: 'none' }
  | { readonly method: 'matrix'; readonly matrix: ColourMatrix }
  | { readonly method: 'hdr'; readonly curve: HdrCurve; readonly matrix: ColourMatrix; readonly bits: number }
  | { readonly method: 'managed' };

/** The curves of HDR pictures (ITU-R BT.2100). */
export type HdrCurve = 'pq' | 'hlg';

const MANAGED: WayToSrgb = { method: 'managed' };

/** Matrix from the connection space of profiles (XYZ, D50) to linear sRGB. */
const TO_SRGB: ColourMatrix = [
  [3.1338561, -1.6168667, -0.4906146],
  [-0.9787684, 1.9161415, 0.033454],
  [0.0719453, -0.2289914, 1.4052427],
];

/**
 * Numbers that differ by less count as equal. It is about one level of 255 in the brightest colours. The sRGB profiles
 * of different vendors differ by less.
 */
const SAME = 0.004;

const HEADER_BYTES = 128;
const ENTRY_BYTES = 12;
const MAX_TAGS = 100;

/**
 * Returns the conversion for a profile from a file (ICC.1:2022, sections 7 and 9.3). Never throws. It returns `managed`
 * unless the profile is a plain matrix of three primaries with the tone curve of sRGB.
 */
export function wayToSrgb(profile: Buffer): WayToSrgb {
  const tags = tagsOf(profile);
  const primaries = ['rXYZ', 'gXYZ', 'bXYZ']
    .map((name) => tags.get(name))
    .map((tag) => (tag === undefined ? undefined : xyzIn(tag)));
  const [red, green, blue] = primaries;
  const curves = ['rTRC', 'gTRC', 'bTRC'].map((name) => tags.get(name));
  if (
    tags.has('A2B0') ||
    red === undefined ||
    green === undefined ||
    blue === undefined ||
    !curves.every(isCurveOfSrgb)
  )
    return MANAGED;
  const matrix = TO_SRGB.map((row) =>
    [red, green, blue].map((primary) => row.reduce((sum, factor, index) => sum + factor * (primary[index] ?? 0), 0)),
  );
  if (
    !matrix.every((row) =>
      near(
        row.reduce((sum, factor) => sum + factor, 0),
        1,
      ),
    )
  )
    return MANAGED;
  const isSame = matrix.every((row, index) => row.every((factor, column) => near(factor, index === column ? 1 : 0)));
  return isSame ? { method: 'none' } : { method: 'matrix', matrix };
}

/** The signature of every profile (ICC.1:2022, section 7.2). */
const SIGNATURE = 'acsp';
const RGB = ['RGB '];
/** Many grey pictures have an RGB profile. libvips ignores it, which hardly changes the picture. */
const GREY = ['GRAY', ...RGB];
/** The colour spaces of profiles by the names that libvips gives to those of pictures. */
const SPACES: ReadonlyMap<string, readonly string[]> = new Map([
  ['srgb', RGB],
  ['rgb16', RGB],
  ['b-w', GREY],
  ['grey16', GREY],
  ['cmyk', ['CMYK']],
]);

/**
 * Returns whether libvips can apply a profile to a picture in this colour space. It ignores other profiles. A space
 * that is not known counts as suitable.
 */
export function isSuitableProfile(profile: Buffer, space: string): boolean {
  if (profile.toString('latin1', 36, 40) !== SIGNATURE) return false;
  return SPACES.get(space)?.includes(profile.toString('latin1', 16, 20)) ?? true;
}

function near(one: number, other: number): boolean {
  return Math.abs(one - other) <= SAME;
}

/** Returns the bytes of each tag of an RGB profile, or nothing for another or broken profile. */
function tagsOf(profile: Buffer): Map<string, Buffer> {
  const tags = new Map<string, Buffer>();
  if (profile.length < HEADER_BYTES + 4 || profile.toString('latin1', 16, 24) !== 'RGB XYZ ') return tags;
  const count = Math.min(profile.readUInt32BE(HEADER_BYTES), MAX_TAGS);
  for (let at = HEADER_BYTES + 4; at + ENTRY_BYTES <= profile.length && tags.size < count; at += ENTRY_BYTES) {
    const offset = profile.readUInt32BE(at + 4);
    tags.set(profile.toString('latin1', at, at + 4), profile.subarray(offset, offset + profile.readUInt32BE(at + 8)));
  }
  return tags;
}

function xyzIn(tag: Buffer): number[] | undefined {
  if (tag.length < 20 || tag.toString('latin1', 0, 4) !== 'XYZ ') return undefined;
  return [8, 12, 16].map((at) => fixed(tag, at));
}

/** Reads an s15Fixed16Number. */
function fixed(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) / 65_536;
}

const SAMPLES = Array.from({ length: 33 }, (_, index) => index / 32);

function isCurveOfSrgb(tag: Buffer | undefined): boolean {
  const curve = tag === undefined ? undefined : curveIn(tag);
  return curve !== undefined && SAMPLES.every((level) => Math.abs(curve(level) - linear(level)) < 0.001);
}

/** Converts a level of sRGB, 0 to 1, to linear light (IEC 61966-2-1). */
export function linear(level: number): number {
  return level <= 0.04045 ? level / 12.92 : ((level + 0.055) / 1.055) ** 2.4;
}

function curveIn(tag: Buffer): ((level: number) => number) | undefined {
  const type = tag.toString('latin1', 0, 4);
  if (type === 'curv' && tag.length >= 12) return tabulated(tag);
  // Function type 3 of section 10.18 defines sRGB.
  if (type === 'para' && tag.length >= 32 && tag.readUInt16BE(8) === 3) {
    const [gamma = 1, a = 1, b = 0, c = 1, d = 0] = [12, 16, 20, 24, 28].map((at) => fixed(tag, at));
    return (level) => (level >= d ? (a * level + b) ** gamma : c * level);
  }
  return undefined;
}

function tabulated(tag: Buffer): ((level: number) => number) | undefined {
  const count = tag.readUInt32BE(8);
  if (count < 2 || 12 + 2 * count > tag.length) return undefined;
  return (level) => {
    const place = level * (count - 1);
    const below = Math.floor(place);
    const [from, to] = [below, Math.min(below + 1, count - 1)].map(
      (index) => tag.readUInt16BE(12 + 2 * index) / 65_535,
    );
    return (from ?? 0) + ((to ?? 0) - (from ?? 0)) * (place - below);
  };
}
