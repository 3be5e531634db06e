import { execFileSync } from 'node:child_process';

/** Time of the slower of two runs of `WORK` on the reference machine of the deadlines, without other load. */
const REFERENCE_MS = 100;

/** Starts a process and computes for a while, which is what most tests wait for. */
const WORK = `
  const { createHash } = require('node:crypto');
  const block = Buffer.alloc(1 << 20);
  for (let round = 0; round < 60; round += 1) createHash('sha512').update(block).digest();
`;

const MOST = 30;

/**
 * Returns how many times slower this machine is, with its current load, than the reference machine of the
 * tests were written on: a number from 1 to 30 with one decimal. `TEST_PATIENCE` overrides the measurement.
 */
export function calibratePatience() {
  const given = Number(process.env['TEST_PATIENCE']);
  if (given >= 1) return given;
  const slowestMs = Math.max(...[1, 2].map(measureMs));
  return Math.round(Math.min(MOST, Math.max(1, slowestMs / REFERENCE_MS)) * 10) / 10;
}

function measureMs() {
  const startMs = performance.now();
  execFileSync(process.execPath, ['-e', WORK], { stdio: 'ignore', env: {} });
  return performance.now() - startMs;
}
