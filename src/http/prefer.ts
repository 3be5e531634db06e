/** `preference-name [= value]`, its parameters ignored (RFC 7240 section 2). */
const PREFERENCE =
  /^\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*(?:=\s*(?:"([^"\\]*)"|([!#$%&'*+.^_`|~0-9A-Za-z-]+))\s*)?(?:;.*)?$/;

/** An element of the list; a comma within quotes parts nothing, and an unclosed quote ends the list. */
const ELEMENT = /((?:"(?:[^"\\]|\\.)*"|[^,"])*)(?:,|$)/y;

/** No client means to wait longer than this many digits of seconds. */
const SECONDS = /^\d{1,9}$/;

/**
 * The seconds of `Prefer: wait=…` (RFC 7240 section 4.3), undefined where there is none that is
 * well-formed. Where it stands twice the first counts (section 2).
 */
export function preferredWaitSeconds(header: string): number | undefined {
  for (const part of elementsOf(header)) {
    const found = PREFERENCE.exec(part);
    if (found?.[1]?.toLowerCase() !== 'wait') continue;
    const value = found[2] ?? found[3] ?? '';
    return SECONDS.test(value) ? Number(value) : undefined;
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
