const { existsSync } = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..', '..');
const bundles = path.join(root, '.cache', 'test-build', 'node_modules');
const packages = path.join(root, 'node_modules', path.sep);

/**
 * Jest's resolver. A module of the project gets the bundle of a package, because Jest loads one file faster than some
 * hundred. A package that imports another package gets that package itself.
 */
module.exports = (request, options) => {
  if (/^[@a-z]/.test(request) && !options.basedir.startsWith(packages)) {
    const bundle = path.join(bundles, request, 'index.js');
    if (existsSync(bundle)) return bundle;
  }
  return options.defaultResolver(request, options);
};
