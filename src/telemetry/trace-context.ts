/** The position of a span in its trace, as W3C Trace Context sends it between processes. */
export interface TraceContext {
  /** 32 lower-case hex digits. */
  readonly traceId: string;
  /** 16 lower-case hex digits. */
  readonly spanId: string;
  readonly isSampled: boolean;
  /** The header `tracestate`; undefined without one. */
  readonly state: string | undefined;
}

/** Version, trace, span and flags. A later version may have more fields, which are ignored. */
const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** Maximum length of a `traceparent`. Later versions may be longer, but nobody needs more than this. */
const MAX_TRACEPARENT_LENGTH = 256;

/** A longer `tracestate` is ignored, because it would be stored with the upload. W3C asks for at least this length. */
const MAX_TRACESTATE_LENGTH = 512;

/** Printable ASCII, which all list members of W3C Trace Context consist of. */
const TRACESTATE = /^[\x20-\x7e]*[\x21-\x7e]$/;

const SAMPLED = 0x01;

/**
 * Reads the headers of W3C Trace Context. Returns undefined for a malformed `traceparent`, and then `tracestate` does
 * not count either. A malformed or long `tracestate` is ignored.
 */
export function parseTraceContext(traceparent: unknown, tracestate?: unknown): TraceContext | undefined {
  if (typeof traceparent !== 'string' || traceparent.length > MAX_TRACEPARENT_LENGTH) return undefined;
  const [, version, traceId = '', spanId = '', flags = '', more] = TRACEPARENT.exec(traceparent) ?? [];
  if (version === undefined || version === 'ff' || (version === '00' && more !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  const isSampled = (Number.parseInt(flags, 16) & SAMPLED) === SAMPLED;
  return { traceId, spanId, isSampled, state: parseState(tracestate) };
}

/** Returns the header `traceparent`. */
export function traceparentOf({ traceId, spanId, isSampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`;
}

/** Returns one text with both headers, for a record or a job. */
export function encodeTraceContext(trace: TraceContext): string {
  return trace.state === undefined ? traceparentOf(trace) : `${traceparentOf(trace)} ${trace.state}`;
}

/** Reads a text of `encodeTraceContext`. Undefined if there is none, or if it is malformed. */
export function decodeTraceContext(text: string | undefined): TraceContext | undefined {
  if (text === undefined) return undefined;
  const space = text.indexOf(' ');
  return space < 0 ? parseTraceContext(text) : parseTraceContext(text.slice(0, space), text.slice(space + 1));
}

function parseState(tracestate: unknown): string | undefined {
  const isUsable =
    typeof tracestate === 'string' && tracestate.length <= MAX_TRACESTATE_LENGTH && TRACESTATE.test(tracestate);
  return isUsable ? tracestate : undefined;
}
