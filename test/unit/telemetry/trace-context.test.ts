import { describe, expect, test } from '@jest/globals';
import {
  decodeTraceContext,
  encodeTraceContext,
  parseTraceContext,
  traceparentOf,
} from '../../../src/telemetry/trace-context.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const SENT = `00-${TRACE}-${SPAN}-01`;

describe('parseTraceContext', () => {
  test('reads trace, span and flags', () => {
    expect(parseTraceContext(SENT)).toEqual({ traceId: TRACE, spanId: SPAN, isSampled: true, state: undefined });
    expect(parseTraceContext(`00-${TRACE}-${SPAN}-00`)?.isSampled).toBe(false);
    expect(parseTraceContext(`00-${TRACE}-${SPAN}-fe`)?.isSampled).toBe(false);
  });

  test('accepts a later version with more fields', () => {
    expect(parseTraceContext(`cc-${TRACE}-${SPAN}-01-what-comes-later`)?.traceId).toBe(TRACE);
  });

  test.each<[name: string, header: unknown]>([
    ['nothing', undefined],
    ['an empty text', ''],
    ['a list', [SENT]],
    ['two values', `${SENT}, ${SENT}`],
    ['upper case', SENT.toUpperCase()],
    ['a short trace', `00-${TRACE.slice(1)}-${SPAN}-01`],
    ['a long span', `00-${TRACE}-${SPAN}0-01`],
    ['a trace of zeros', `00-${'0'.repeat(32)}-${SPAN}-01`],
    ['a span of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['the forbidden version', `ff-${TRACE}-${SPAN}-01`],
    ['more fields in version 0', `${SENT}-more`],
    ['fields of a later version without a dash', `01-${TRACE}-${SPAN}-01more`],
    ['flags that are not hex', `00-${TRACE}-${SPAN}-0g`],
    ['spaces around it', ` ${SENT} `],
    ['a line break', `${SENT}\n`],
    ['too many bytes', `01-${TRACE}-${SPAN}-01-${'x'.repeat(300)}`],
  ])('ignores %s', (_, header) => {
    expect(parseTraceContext(header, 'vendor=1')).toBeUndefined();
  });

  test.each<[name: string, header: unknown, state: string | undefined]>([
    ['keeps tracestate', 'congo=t61rcWkgMzE,rojo=00f067aa0ba902b7', 'congo=t61rcWkgMzE,rojo=00f067aa0ba902b7'],
    ['ignores an empty tracestate', '', undefined],
    ['ignores a tracestate with other characters', 'vendor=ü', undefined],
    ['ignores a tracestate with a line break', 'vendor=1\nx', undefined],
    ['ignores a tracestate of more than 512 characters', `vendor=${'1'.repeat(512)}`, undefined],
  ])('%s', (_, header, state) => {
    expect(parseTraceContext(SENT, header)).toMatchObject({ traceId: TRACE, state });
  });
});

describe('a position as text', () => {
  test.each([
    ['without tracestate', undefined],
    ['with tracestate', 'congo=a b,rojo=1'],
  ])('is read back %s', (_, state) => {
    const position = { traceId: TRACE, spanId: SPAN, isSampled: true, state };
    expect(decodeTraceContext(encodeTraceContext(position))).toEqual(position);
    expect(traceparentOf(position)).toBe(SENT);
  });

  test('is undefined if there is none, or if it is malformed', () => {
    expect([undefined, '', 'x', `${SENT}x`].map(decodeTraceContext)).toEqual(Array(4).fill(undefined));
  });
});
