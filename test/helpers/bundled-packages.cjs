const { existsSync } = require('node:fs');
const { join, sep } = require('node:path');

const root = join(__dirname, '..', '..');
const bundles = join(root, '.cache', 'test-build', 'node_modules');
const packages = join(root, 'node_modules', sep);

/**
 * Jest's resolver. A module of the project gets the bundle of a package, because Jest loads one file faster than some
 * hundred. A package that imports another package gets that package itself.
 */
module.exports = (request, options) => {
  if (/^[@a-z]/.test(request) && !options.basedir.startsWith(packages)) {
    const bundle = join(bundles, request, 'index.js');
    if (existsSync(bundle)) return bundle;
  }
  return options.defaultResolver(request, options);
};
