const vm = require('node:vm');

/**
 * Jest compiles its own modules, the bundles of packages and our sources again for each test file. This module keeps
 * the compiled code for the next test file of the process, which saves about 50 ms for each.
 */
const { compileFunction, Script, SourceTextModule } = vm;

/** @type {Map<string, { code: string, head: string, script: vm.Script }>} */
const scripts = new Map();
/** @type {Map<string, { code: string, data: Buffer }>} */
const compiledModules = new Map();
/** The `import()` of each script in the realm of the present test file. */
const importers = new Map();
const modules = new Set();

/** Like `vm.compileFunction`, but a file of a package is compiled once for all realms. */
vm.compileFunction = (code, parameters, options) => {
  const { filename, parsingContext, importModuleDynamically } = options;
  const isPackage = filename?.includes('/node_modules/');
  if (parsingContext === undefined || !isPackage) return compileFunction(code, parameters, options);
  importers.set(filename, importModuleDynamically);
  const head = `(function (${parameters.join(', ')}) {`;
  const known = scripts.get(filename);
  if (known?.code === code && known.head === head) return known.script.runInContext(parsingContext);
  const script = new Script(`${head}${code}\n})`, {
    filename,
    columnOffset: -head.length,
    importModuleDynamically: (...request) => importOf(filename)(...request),
  });
  scripts.set(filename, { code, head, script });
  return script.runInContext(parsingContext);
};

function importOf(filename) {
  const importer = importers.get(filename);
  if (importer === undefined) throw new Error(`${filename} called import() after the end of its test file`);
  return importer;
}

/** In Node 20, a module from compiled code cannot import: it loses its `importModuleDynamically`. */
const DYNAMIC_IMPORT = /\bimport\s*\(/;

function compileModule(code, options) {
  if (DYNAMIC_IMPORT.test(code)) return new SourceTextModule(code, options);
  const known = compiledModules.get(options.identifier);
  if (known?.code === code) {
    try {
      return new SourceTextModule(code, { ...options, cachedData: known.data });
    } catch (error) {
      // V8 rejects the compiled code if a test has changed a flag of V8 since then.
      if (error.code !== 'ERR_VM_MODULE_CACHED_DATA_REJECTED') throw error;
    }
  }
  const module = new SourceTextModule(code, options);
  compiledModules.set(options.identifier, { code, data: module.createCachedData() });
  return module;
}

/** Like `vm.SourceTextModule`, but takes the compiled code from an earlier test file. */
vm.SourceTextModule = new Proxy(SourceTextModule, {
  construct(_class, [code, options]) {
    const module = compileModule(code, options);
    modules.add(module);
    return module;
  },
});

/**
 * Ends the use of the modules of a test file. Node 20 never frees a module that has its native handle, and with it the
 * whole realm. Each collection of garbage would visit all of them.
 */
exports.releaseModules = () => {
  for (const module of modules) {
    const handle = Object.getOwnPropertySymbols(module).find(({ description }) => description === 'kWrap');
    if (handle !== undefined) module[handle] = undefined;
  }
  modules.clear();
  importers.clear();
};
