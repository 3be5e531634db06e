import type { Tracing } from './tracing.ts';

/** All copies of the API of OpenTelemetry in a process share the object that is registered under this name. */
const REGISTERED = Symbol.for('opentelemetry.js.api.1');

/**
 * Returns undefined unless the application or a module of `--import` has registered an OpenTelemetry SDK in this
 * process. The API is loaded only then, because it takes 18 ms of processor time and 1 MB of heap. Ask once, when the
 * process is built: later code then compares a variable instead of creating spans.
 */
export async function openTracing(): Promise<Tracing | undefined> {
  if (!Reflect.has(globalThis, REGISTERED)) return undefined;
  const { openTelemetry } = await import('./open-telemetry.ts');
  return openTelemetry();
}
