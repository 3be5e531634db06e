import createLibheif, { type Libheif } from 'libheif-js/libheif-wasm/libheif.js';
import type { HeicHeader } from './messages.ts';
import { MemoryCap } from './memory-cap.ts';
import { pixelTiff } from './pixel-tiff.ts';

const MIB = 1024 * 1024;

/** Memory that the library needs besides the file and its pixels. */
const BASE_BYTES = 64 * MIB;

/**
 * The memory for one pixel. Measured: 24 bytes for ten bits in 4:4:4 with transparency, 8 bytes for ordinary photos.
 */
const BYTES_PER_PIXEL = 32;

/** Coded pictures are padded to whole blocks, whose sides have at most this many pixels. */
const MAX_BLOCK_SIDE = 64;

/** Maximum size of an EXIF block, enough for one with a thumbnail. Larger blocks are ignored. */
const MAX_EXIF_BYTES = MIB;
const MAX_METADATA_BLOCKS = 16;

/** Values from heif.h of libheif. */
const COLORSPACE_RGB = 1;
const [CHROMA_RGB, CHROMA_RGBA] = [10, 11];
/** Formats with two bytes per channel, the lower byte first. */
const [CHROMA_DEEP_RGB, CHROMA_DEEP_RGBA] = [14, 15];
const CHANNEL_INTERLEAVED = 10;

/** Positions in the structures of heif.h, with pointers of 32 bits. */
const LIMITS_MAX_PIXELS = 8;
const OPTIONS_TO_8_BIT = 20;
const OPTIONS_STRICT = 21;
const NCLX_PRIMARIES = 4;
const NCLX_TRANSFER = 8;

/** libheif has reported an error. `code` and `subcode` are those of heif_error.h. */
export class LibheifError extends Error {
  readonly code: number;
  readonly subcode: number;

  constructor(code: number, subcode: number, words: string) {
    super(words);
    this.name = 'LibheifError';
    this.code = code;
    this.subcode = subcode;
  }
}

/** The picture would need more memory than its pixels justify. */
export class OutOfLibheifMemory extends Error {}

/** The file has moving pictures only. */
export class NoStillPicture extends Error {}

/**
 * The primary picture of one HEIC file. Nothing is freed: the thread ends after one file, and its memory with it.
 */
export class HeicFile {
  readonly #library: Libheif;
  readonly #cap: MemoryCap;
  readonly #fileBytes: number;
  /** Space for an error, which the library returns by value: code, subcode and a pointer to its text. */
  readonly #error: number;
  /** Memory for the results of calls. */
  readonly #out: number;
  readonly #context: number;
  readonly #handle: number;

  /** Parses the boxes of the file. Throws if it has no picture that can be described. */
  constructor(module: WebAssembly.Module, file: Uint8Array) {
    this.#fileBytes = file.length;
    this.#cap = new MemoryCap(BASE_BYTES + file.length);
    const cap = this.#cap;
    const silent = (): void => undefined;
    this.#library = createLibheif({
      print: silent,
      printErr: silent,
      instantiateWasm(imports, receive) {
        const instance = new WebAssembly.Instance(module, imports);
        cap.applyTo(instance.exports);
        return receive(instance);
      },
    });
    this.#error = this.#alloc(64);
    this.#out = this.#alloc(64 + 4 * MAX_METADATA_BLOCKS);
    this.#context = this.#library._heif_context_alloc();
    this.#handle = this.#open(file);
  }

  /** Returns size and colours. The size is that after rotation, mirroring and cropping, as the file describes it. */
  header(): HeicHeader {
    const library = this.#library;
    return {
      width: library._heif_image_handle_get_width(this.#handle),
      height: library._heif_image_handle_get_height(this.#handle),
      hasAlpha: this.#hasAlpha(),
      pictures: library._heif_context_get_number_of_top_level_images(this.#context),
      bits: library._heif_image_handle_get_luma_bits_per_pixel(this.#handle),
      exif: this.#exif(),
      icc: this.#icc(),
      ...this.#nclx(),
    };
  }

  /**
   * Decodes the picture, upright, as a TIFF with the profile of the file. If `isDeep`, it has 16 bits per channel.
   * Throws `OutOfLibheifMemory` before anything
   * is decoded if the picture has more than `maxPixels` before its crop, and later if its parts are larger than it
   * claims.
   */
  decode(maxPixels: number, isDeep: boolean): Uint8Array<ArrayBuffer> {
    const library = this.#library;
    const icc = this.#icc();
    // The size before the crop, which decides about the memory.
    const width = library._heif_image_handle_get_ispe_width(this.#handle);
    const height = library._heif_image_handle_get_ispe_height(this.#handle);
    if (width * height > maxPixels) throw new OutOfLibheifMemory();
    this.#cap.raiseTo(BASE_BYTES + this.#fileBytes + BYTES_PER_PIXEL * width * height);
    const limits = library._heif_context_get_security_limits(this.#context);
    const codedPixels = (width + MAX_BLOCK_SIDE) * (height + MAX_BLOCK_SIDE);
    this.#view().setBigUint64(limits + LIMITS_MAX_PIXELS, BigInt(codedPixels), true);
    const options = library._heif_decoding_options_alloc();
    library.HEAPU8[options + OPTIONS_TO_8_BIT] = isDeep ? 0 : 1;
    library.HEAPU8[options + OPTIONS_STRICT] = 1;
    const channels = this.#hasAlpha() ? 4 : 3;
    const [rgb, rgba] = isDeep ? [CHROMA_DEEP_RGB, CHROMA_DEEP_RGBA] : [CHROMA_RGB, CHROMA_RGBA];
    const chroma = channels === 4 ? rgba : rgb;
    this.#call((error) => library._heif_decode_image(error, this.#handle, this.#out, COLORSPACE_RGB, chroma, options));
    return this.#copy(this.#uint32(this.#out), channels, isDeep, icc);
  }

  #copy(image: number, channels: 3 | 4, isDeep: boolean, icc: Uint8Array | undefined): Uint8Array<ArrayBuffer> {
    const library = this.#library;
    const size = {
      width: library._heif_image_get_width(image, CHANNEL_INTERLEAVED),
      height: library._heif_image_get_height(image, CHANNEL_INTERLEAVED),
    };
    const plane = library._heif_image_get_plane_readonly(image, CHANNEL_INTERLEAVED, this.#out);
    const stride = this.#uint32(this.#out);
    const { bytes, pixels } = pixelTiff(size, channels, isDeep ? 16 : 8, icc);
    const rowBytes = pixels.length / size.height;
    for (let row = 0; row < size.height; row += 1) {
      const start = plane + row * stride;
      pixels.set(library.HEAPU8.subarray(start, start + rowBytes), row * rowBytes);
    }
    if (isDeep) fillBits(pixels, library._heif_image_get_bits_per_pixel_range(image, CHANNEL_INTERLEAVED));
    return bytes;
  }

  #open(file: Uint8Array): number {
    const library = this.#library;
    const data = this.#alloc(file.length);
    library.HEAPU8.set(file, data);
    this.#call((error) =>
      library._heif_context_read_from_memory_without_copy(error, this.#context, data, file.length, 0),
    );
    try {
      this.#call((error) => library._heif_context_get_primary_image_handle(error, this.#context, this.#out));
    } catch (error) {
      throw library._heif_context_has_sequence(this.#context) === 0 ? error : new NoStillPicture();
    }
    return this.#uint32(this.#out);
  }

  #hasAlpha(): boolean {
    return this.#library._heif_image_handle_has_alpha_channel(this.#handle) !== 0;
  }

  /**
   * Returns the EXIF data from the TIFF header on. The block begins with the distance to that header (ISO/IEC 23008-12,
   * annex A.2.1).
   */
  #exif(): Uint8Array<ArrayBuffer> | undefined {
    const library = this.#library;
    const ids = this.#out;
    const count = library._heif_image_handle_get_list_of_metadata_block_IDs(this.#handle, 0, ids, MAX_METADATA_BLOCKS);
    for (let index = 0; index < count; index += 1) {
      const id = this.#uint32(ids + 4 * index);
      const type = this.#text(library._heif_image_handle_get_metadata_type(this.#handle, id));
      const bytes = library._heif_image_handle_get_metadata_size(this.#handle, id);
      if (type !== 'Exif' || bytes < 4 || bytes > MAX_EXIF_BYTES) continue;
      const block = this.#alloc(bytes);
      this.#call((error) => library._heif_image_handle_get_metadata(error, this.#handle, id, block));
      const start = 4 + this.#view().getUint32(block, false);
      return start < bytes ? library.HEAPU8.slice(block + start, block + bytes) : undefined;
    }
    return undefined;
  }

  #icc(): Uint8Array<ArrayBuffer> | undefined {
    const library = this.#library;
    const bytes = library._heif_image_handle_get_raw_color_profile_size(this.#handle);
    if (bytes === 0) return undefined;
    const profile = this.#alloc(bytes);
    this.#call((error) => library._heif_image_handle_get_raw_color_profile(error, this.#handle, profile));
    return library.HEAPU8.slice(profile, profile + bytes);
  }

  #nclx(): Pick<HeicHeader, 'primaries' | 'transfer'> {
    const library = this.#library;
    library._heif_image_handle_get_nclx_color_profile(this.#error, this.#handle, this.#out);
    if (this.#uint32(this.#error) !== 0) return { primaries: undefined, transfer: undefined };
    const profile = this.#uint32(this.#out);
    return { primaries: this.#uint32(profile + NCLX_PRIMARIES), transfer: this.#uint32(profile + NCLX_TRANSFER) };
  }

  #call(call: (error: number) => void): void {
    call(this.#error);
    const code = this.#uint32(this.#error);
    if (code === 0) return;
    const words = this.#text(this.#uint32(this.#error + 8));
    throw this.#cap.isReached
      ? new OutOfLibheifMemory(words)
      : new LibheifError(code, this.#uint32(this.#error + 4), words);
  }

  #alloc(bytes: number): number {
    const at = this.#library._malloc(bytes);
    if (at === 0) throw new OutOfLibheifMemory('no memory for the file');
    return at;
  }

  #view(): DataView {
    return new DataView(this.#library.HEAPU8.buffer);
  }

  #uint32(at: number): number {
    return this.#view().getUint32(at, true);
  }

  #text(at: number): string {
    const { HEAPU8 } = this.#library;
    return new TextDecoder().decode(HEAPU8.subarray(at, HEAPU8.indexOf(0, at)));
  }
}

/** Moves the bits of each sample to the highest bits of its two bytes, the lower byte first. */
function fillBits(samples: Uint8Array<ArrayBuffer>, bits: number): void {
  const view = new DataView(samples.buffer, samples.byteOffset, samples.byteLength);
  for (let at = 0; at < view.byteLength; at += 2) view.setUint16(at, view.getUint16(at, true) << (16 - bits), true);
}
