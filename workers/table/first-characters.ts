/** The beginning of a text, cut between characters. */
export function firstCharacters(text: string, count: number): string {
  const cut = text.slice(0, count);
  const last = cut.charCodeAt(cut.length - 1);
  const isHalf = cut.length < text.length && last >= 0xd800 && last < 0xdc00;
  return isHalf ? cut.slice(0, -1) : cut;
}
