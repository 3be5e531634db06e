/** `preference-name [= value]`; its parameters are ignored (RFC 7240 section 2). */
const PREFERENCE =
  /^\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*(?:=\s*(?:"([^"\\]*)"|([!#$%&'*+.^_`|~0-9A-Za-z-]+))\s*)?(?:;.*)?$/;

/** One element of the list. A comma within quotes does not separate elements, and an unclosed quote ends the list. */
const ELEMENT = /((?:"(?:[^"\\]|\\.)*"|[^,"])*)(?:,|$)/y;

const SECONDS = /^\d+$/;

/** Longer waits count as this one, so that the number of milliseconds is exact. */
const MAX_SECONDS = 999_999_999;

/**
 * Returns the seconds of `Prefer: wait=…` (RFC 7240 section 4.3), undefined if it is missing or malformed. If it
 * appears twice, the first one counts (section 2).
 */
export function preferredWaitSeconds(header: string): number | undefined {
  for (const part of elementsOf(header)) {
    const found = PREFERENCE.exec(part);
    if (found?.[1]?.toLowerCase() !== 'wait') continue;
    const value = found[2] ?? found[3] ?? '';
    return SECONDS.test(value) ? Math.min(Number(value), MAX_SECONDS) : undefined;
  }
  return undefined;
}

function elementsOf(header: string): string[] {
  const elements: string[] = [];
  ELEMENT.lastIndex = 0;
  for (let found = ELEMENT.exec(header); found !== null && found[0] !== ''; found = ELEMENT.exec(header))
    elements.push(found[1] ?? '');
  return elements;
}
