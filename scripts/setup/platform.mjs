import { closeSync, openSync, readSync } from 'node:fs';

/** @typedef {import('./platform.d.mts').Platform} Platform */
/** @typedef {import('./platform.d.mts').Requirements} Requirements */

/**
 * This machine in npm's words.
 *
 * @returns {Platform}
 */
export function currentPlatform() {
  return { os: process.platform, cpu: process.arch, libc: process.platform === 'linux' ? linuxLibc() : '' };
}

/**
 * Whether a package of the lock file is meant for the platform and says so. False for one that does not name any: npm
 * may have left it out for another reason.
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

/** From the name of the loader, which the header of Node's own file holds: both may be on one machine. */
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
