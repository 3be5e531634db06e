import { register } from 'node:module';

/*
 * For `node --import`: runs the service without the code that tracing adds while it is off. The modules of the spans
 * are replaced by modules without spans, which call the work directly.
 */

/**
 * Replacements in modules, by the end of the module's path. The text to replace must occur, so that a change of the
 * module is noticed.
 */
const REPLACED = {
  '/src/telemetry/open-tracing.js': 'export const openTracing = async () => undefined;',
  '/src/storage/traced-storage.js':
    'export const tracedStorage = (storage) => storage; export const tracedReads = tracedStorage;',
  '/src/intake/intake-spans.js': `
    export const receiveInSpan = (parts, scope, id, receive) => receive(parts);
    export const enqueueInSpan = (scope, id, stored, queue) => queue({ ...stored, requestId: scope.id });`,
  '/workers/attempt-spans.js': `
    import { NO_SPAN } from '../src/telemetry/tracing.js';
    export const beginAttemptSpan = () => NO_SPAN;
    export const tracedParts = (parts) => parts;
    export const outcomeAttribute = () => ({});
    export const stepSpans = (attempt, hooks) => ({ hooks, failed() {}, close() {} });`,
};
const EDITED = {
  '/src/telemetry/tracing.js': [
    /async function inSpan\([^]*?\n}/,
    'function inSpan(parent, name, work) { return work(NO_SPAN); }',
  ],
  '/src/http/request-scope.js': ['spans.get(ctx) ?? NO_SPAN', 'NO_SPAN'],
  '/src/server/intake-parts.js': [/roadsOf = \(span\) => span\.isOn[^;]*;/, 'roadsOf = () => shared;'],
};

const hooks = `
  const replaced = new Map(${JSON.stringify(Object.entries(REPLACED))});
  const edited = new Map([${Object.entries(EDITED)
    .map(
      ([path, [from, to]]) =>
        `[${JSON.stringify(path)}, [${from instanceof RegExp ? from : JSON.stringify(from)}, ${JSON.stringify(to)}]]`,
    )
    .join(',')}]);
  const nameOf = (url) => /\\/(?:src|workers)\\/.*$/.exec(url.split('/node_modules/').at(-1))?.[0] ?? '';
  export async function load(url, context, next) {
    const name = nameOf(url);
    if (replaced.has(name)) return { format: 'module', shortCircuit: true, source: replaced.get(name) };
    const loaded = await next(url, context);
    if (!edited.has(name)) return loaded;
    const [from, to] = edited.get(name);
    const source = String(loaded.source);
    const without = source.replace(from, to);
    if (without === source) throw new Error('scripts/bench/lib/without-tracing.mjs does not fit ' + name);
    return { ...loaded, source: without };
  }`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
