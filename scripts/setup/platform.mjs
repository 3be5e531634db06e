import { closeSync, openSync, readSync } from 'node:fs';

/** @typedef {import('./platform.d.mts').Platform} Platform */
/** @typedef {import('./platform.d.mts').Requirements} Requirements */

/**
 * Returns this machine in npm's terms.
 *
 * @returns {Platform}
 */
export function currentPlatform() {
  return { os: process.platform, cpu: process.arch, libc: process.platform === 'linux' ? linuxLibc() : '' };
}

/**
 * Returns whether a package of the lock file names this platform. False if it names none, because npm may have left it
 * out for another reason.
 *
 * @param {Requirements} requirements
 * @param {Platform} platform
 * @returns {boolean}
 */
export function isForPlatform({ os, cpu, libc }, platform) {
  if (os === undefined || cpu === undefined) return false;
  const fits = (/** @type {readonly string[]} */ names, /** @type {string} */ name) => names.includes(name);
  return fits(os, platform.os) && fits(cpu, platform.cpu) && (libc === undefined || fits(libc, platform.libc));
}

/** Reads the loader's name from the header of Node's binary, because one machine may have both libraries. */
function linuxLibc() {
  const header = Buffer.alloc(4096);
  const file = openSync(process.execPath, 'r');
  try {
    readSync(file, header, 0, header.length, 0);
  } finally {
    closeSync(file);
  }
  return header.includes('/ld-musl-') ? 'musl' : 'glibc';
}
