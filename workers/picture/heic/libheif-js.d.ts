/** The C interface of libheif 1.23 in WebAssembly, as far as this folder uses it. Pointers are numbers. */
declare module 'libheif-js/libheif-wasm/libheif.js' {
  /** One instance of the library with memory of its own. */
  export interface Libheif {
    /** The memory. It is replaced whenever the memory grows, so it must not be kept. */
    readonly HEAPU8: Uint8Array<ArrayBuffer>;
    _malloc(bytes: number): number;
    _heif_context_alloc(): number;
    _heif_context_get_security_limits(context: number): number;
    _heif_context_read_from_memory_without_copy(
      error: number,
      context: number,
      data: number,
      bytes: number,
      options: number,
    ): void;
    _heif_context_has_sequence(context: number): number;
    _heif_context_get_number_of_top_level_images(context: number): number;
    _heif_context_get_primary_image_handle(error: number, context: number, out: number): void;
    _heif_image_handle_get_width(handle: number): number;
    _heif_image_handle_get_height(handle: number): number;
    _heif_image_handle_get_ispe_width(handle: number): number;
    _heif_image_handle_get_ispe_height(handle: number): number;
    _heif_image_handle_get_luma_bits_per_pixel(handle: number): number;
    _heif_image_handle_has_alpha_channel(handle: number): number;
    _heif_image_handle_get_raw_color_profile_size(handle: number): number;
    _heif_image_handle_get_raw_color_profile(error: number, handle: number, out: number): void;
    _heif_image_handle_get_nclx_color_profile(error: number, handle: number, out: number): void;
    _heif_image_handle_get_list_of_metadata_block_IDs(
      handle: number,
      filter: number,
      ids: number,
      count: number,
    ): number;
    _heif_image_handle_get_metadata_type(handle: number, id: number): number;
    _heif_image_handle_get_metadata_size(handle: number, id: number): number;
    _heif_image_handle_get_metadata(error: number, handle: number, id: number, out: number): void;
    _heif_decoding_options_alloc(): number;
    _heif_decode_image(
      error: number,
      handle: number,
      out: number,
      colorspace: number,
      chroma: number,
      options: number,
    ): void;
    _heif_image_get_width(image: number, channel: number): number;
    _heif_image_get_height(image: number, channel: number): number;
    _heif_image_get_bits_per_pixel_range(image: number, channel: number): number;
    _heif_image_get_plane_readonly(image: number, channel: number, stride: number): number;
  }

  /** Options of Emscripten. */
  export interface LibheifOptions {
    /** Must instantiate at once, so that the library is ready when it is returned. */
    instantiateWasm(
      imports: WebAssembly.Imports,
      receive: (instance: WebAssembly.Instance) => WebAssembly.Exports,
    ): WebAssembly.Exports;
    print(line: string): void;
    printErr(line: string): void;
  }

  const createLibheif: (options: LibheifOptions) => Libheif;
  export default createLibheif;
}
