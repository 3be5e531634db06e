const ESCAPE = /_x([0-9A-Fa-f]{4})_/g;

/** Characters that XML cannot hold stand in a workbook as `_x000D_` (ECMA-376 part 1, section 22.9.2.19). */
export function decodeEscapes(text: string): string {
  return text.includes('_x')
    ? text.replace(ESCAPE, (_all, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
    : text;
}
