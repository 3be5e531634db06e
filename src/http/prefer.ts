/** `preference-name [= value]`, its parameters ignored (RFC 7240 section 2). */
const PREFERENCE = /^\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*(?:=\s*(?:"([^"\\]*)"|([!#$%&'*+.^_`|~0-9A-Za-z-]+))\s*)?(?:;.*)?$/;

/** No client means to wait longer than this many digits of seconds. */
const SECONDS = /^\d{1,9}$/;

/**
 * The seconds of `Prefer: wait=…` (RFC 7240 section 4.3), undefined where there is none that is
 * well-formed. Where it stands twice the first counts (section 2).
 */
export function preferredWaitSeconds(header: string): number | undefined {
  for (const part of header.split(',')) {
    const found = PREFERENCE.exec(part);
    if (found?.[1]?.toLowerCase() !== 'wait') continue;
    const value = found[2] ?? found[3] ?? '';
    return SECONDS.test(value) ? Number(value) : undefined;
  }
  return undefined;
}
