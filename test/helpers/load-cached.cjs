const { existsSync, readFileSync, renameSync, writeFileSync } = require('node:fs');
const { createRequire } = require('node:module');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const { setFlagsFromString } = require('node:v8');
const { Script } = require('node:vm');

/** The build that contains this file. */
const build = path.join(__dirname, '..', '..');

/**
 * Runs the script of a process with the code that an earlier process compiled. The first process leaves its code at its
 * end. Node 20 has no such cache for modules.
 *
 * @param {string} entry the first module of the process, relative to the build, without its ending
 */
exports.run = (entry) => {
  const file = path.join(build, 'cached', `${entry}.script.js`);
  const cache = `${file}.${process.version}.code`;
  const cachedData = existsSync(cache) ? readFileSync(cache) : undefined;
  // The bundler writes ASCII.
  const script = new Script(readFileSync(file, 'latin1'), { filename: file, cachedData });
  // A process that does not start compiles little.
  if (cachedData === undefined) process.once('exit', (exitCode) => exitCode === 0 && leave(script, cache));
  const module = { exports: {} };
  const urlOf = (place) => pathToFileURL(path.join(build, place)).href;
  const importFile = (url) => import(url);
  const requireFile = createRequire(path.join(build, `${entry}.js`));
  script.runInThisContext()(requireFile, module, module.exports, urlOf, importFile);
};

/** Replaces the file at once, because other processes may read it. */
function leave(script, cache) {
  // V8 rejects code that was kept under other flags. A worker changes this one after its start; 0 is the default.
  setFlagsFromString('--heap-growing-percent=0');
  const draft = `${cache}.${process.pid}`;
  writeFileSync(draft, script.createCachedData());
  renameSync(draft, cache);
}
