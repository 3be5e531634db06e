/** Tags of the first table of a block (Exif 2.32, section 4.6.4). `photo` and `gps` point to further tables. */
export const IMAGE = {
  make: 0x010f,
  model: 0x0110,
  changed: 0x0132,
  artist: 0x013b,
  copyright: 0x8298,
  photo: 0x8769,
  gps: 0x8825,
} as const;

/** Tags of the table behind `IMAGE.photo` (section 4.6.5). */
export const PHOTO = {
  exposureTime: 0x829a,
  fNumber: 0x829d,
  sensitivity: 0x8827,
  recommendedIndex: 0x8832,
  taken: 0x9003,
  digitized: 0x9004,
  changedOffset: 0x9010,
  takenOffset: 0x9011,
  digitizedOffset: 0x9012,
  focalLength: 0x920a,
  lensMake: 0xa433,
  lensModel: 0xa434,
} as const;

/** Tags of the table behind `IMAGE.gps` (section 4.6.6). */
export const GPS = { latitudeRef: 1, latitude: 2, longitudeRef: 3, longitude: 4, altitudeRef: 5, altitude: 6 } as const;
