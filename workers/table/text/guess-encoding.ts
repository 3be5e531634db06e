import { analyse } from 'chardet';

/** The guessed encoding of a text without a byte order mark. */
interface GuessedEncoding {
  /** A name of the Encoding Standard. */
  encoding: string;
  /** The certainty of the guess, 0 to 1. */
  certainty: number;
}

/** Describes the usual characters of a script. The same bytes in another encoding would give unusual ones. */
interface Candidate {
  encoding: string;
  /** The names of chardet. It detects languages by the frequency of letters, for which a table is often too short. */
  names: readonly string[];
  /** Returns the share of the characters beyond ASCII that are usual in this encoding. */
  plausibility: (text: string, bytes: Buffer) => number;
}

const OPENING_SIGN = /[«»„“”‘’‚–—…·¿¡\u00a0]/u;
const CLOSING_SIGN = /[€£§°±²³µ×½©®™ªº´]/u;

/** Encodings to try. If two have the same score, the first one wins. */
const CANDIDATES: readonly Candidate[] = [
  { encoding: 'windows-1252', names: ['windows-1252', 'ISO-8859-1'], plausibility: latin },
  { encoding: 'gb18030', names: ['GB18030'], plausibility: pairs(0xb0, 0xd7) },
  { encoding: 'windows-1251', names: ['windows-1251'], plausibility: script(/\p{Script=Cyrillic}/u) },
  { encoding: 'shift_jis', names: ['Shift_JIS'], plausibility: pairs(0x82, 0x98) },
  { encoding: 'big5', names: ['Big5'], plausibility: pairs(0xa4, 0xc6) },
  { encoding: 'euc-kr', names: ['EUC-KR'], plausibility: pairs(0xb0, 0xc8) },
  { encoding: 'euc-jp', names: ['EUC-JP'], plausibility: pairs(0xb0, 0xcf, 0xa4, 0xa5) },
  { encoding: 'windows-1250', names: ['windows-1250', 'ISO-8859-2'], plausibility: latin },
  { encoding: 'windows-1254', names: ['windows-1254', 'ISO-8859-9'], plausibility: latin },
  { encoding: 'windows-1257', names: ['windows-1257'], plausibility: latin },
  { encoding: 'windows-1253', names: ['windows-1253', 'ISO-8859-7'], plausibility: script(/\p{Script=Greek}/u) },
  { encoding: 'windows-1255', names: ['windows-1255', 'ISO-8859-8'], plausibility: script(/\p{Script=Hebrew}/u) },
  { encoding: 'windows-1256', names: ['windows-1256', 'ISO-8859-6'], plausibility: script(/\p{Script=Arabic}/u) },
  { encoding: 'koi8-r', names: ['KOI8-R'], plausibility: script(/\p{Script=Cyrillic}/u) },
];

/** The default. Most texts in Latin letters use it, and short texts look the same in all Latin encodings. */
const USUAL: GuessedEncoding = { encoding: 'windows-1252', certainty: 0 };
const USUAL_ADVANTAGE = 0.15;

/** The frequency of letters counts less than whether all characters are usual. */
const FREQUENCY_WEIGHT = 0.5;
const STEEPNESS = 10;
const MOST_CERTAIN = 0.99;

/** Guesses the encoding of a text that is not UTF-8 from whole lines with bytes beyond ASCII. */
export function guessEncoding(lines: Buffer): GuessedEncoding {
  const found = analyse(lines);
  const scores = CANDIDATES.flatMap(({ encoding, names, plausibility }) => {
    const text = strictlyDecoded(lines, encoding);
    if (text === undefined) return [];
    const confidence = Math.max(
      0,
      ...found.filter(({ name }) => names.includes(name)).map((match) => match.confidence),
    );
    const likely = plausibility(text, lines);
    const advantage = encoding === USUAL.encoding && likely > 0 ? USUAL_ADVANTAGE : 0;
    return [{ encoding, score: likely + advantage + (FREQUENCY_WEIGHT * confidence) / 100 }];
  }).sort((one, other) => other.score - one.score);
  const [best, second] = scores;
  if (best === undefined || best.score <= 0) return USUAL;
  // With equal scores both are equally likely. A lead of a fifth of a point is clear.
  const certainty = 1 / (1 + Math.exp(-STEEPNESS * (best.score - Math.max(0, second?.score ?? 0))));
  return { encoding: best.encoding, certainty: Math.min(MOST_CERTAIN, Math.round(100 * certainty) / 100) };
}

function strictlyDecoded(bytes: Buffer, encoding: string): string | undefined {
  try {
    // Without streaming, Node 20 decodes windows-1252 as Latin-1.
    const decoder = new TextDecoder(encoding, { fatal: true });
    const text = decoder.decode(bytes, { stream: true }) + decoder.decode();
    // C1 control characters mean that the encoding does not use the byte.
    return /[\x80-\x9f]/.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}

const BEYOND_ASCII = /[^\0-\x7f]/gu;

/**
 * Returns the share of the characters that are usual in Latin text. There, letters with accents stand beside letters
 * without, and no capital follows a small letter.
 */
function latin(text: string): number {
  return share(text, (character, before, after) => {
    if (OPENING_SIGN.test(character)) return true;
    if (CLOSING_SIGN.test(character)) return !/\p{L}/u.test(after);
    if (!/\p{Script=Latin}/u.test(character) || isCapitalAfterSmall(character, before)) return false;
    return /[A-Za-z]/.test(before) || /[A-Za-z]/.test(after);
  });
}

function script(letter: RegExp): (text: string) => number {
  return (text) =>
    share(text, (character, before, after) => {
      const isMixed = /[A-Za-z]/.test(before) || /[A-Za-z]/.test(after);
      return letter.test(character) && !isMixed && !isCapitalAfterSmall(character, before);
    }) * (/(?:^|[\s,;|"])\p{M}/u.test(text) ? 0.5 : 1);
}

function isCapitalAfterSmall(character: string, before: string): boolean {
  return /\p{Lu}/u.test(character) && /\p{Ll}/u.test(before);
}

function share(text: string, isUsual: (character: string, before: string, after: string) => boolean): number {
  let all = 0;
  let usual = 0;
  for (const { 0: character, index } of text.matchAll(BEYOND_ASCII)) {
    all += 1;
    if (isUsual(character, text[index - 1] ?? '', text[index + character.length] ?? '')) usual += 1;
  }
  return all === 0 ? 0 : usual / all;
}

/**
 * Returns a function that computes the share of usual characters in an encoding with two bytes per character. The first
 * byte of a common character is from `from` to `to`. The first byte of a syllable is one of `kana`.
 */
function pairs(from: number, to: number, ...kana: readonly number[]): (text: string, bytes: Buffer) => number {
  return (_text, bytes) => {
    let all = 0;
    let usual = 0;
    for (let at = 0; at < bytes.length; at += 1) {
      const first = bytes[at] ?? 0;
      if (first < 0x80) continue;
      all += 1;
      // Half-width syllables of Japanese have one byte and are rare in a whole text. Other characters have two.
      const isPair = (bytes[at + 1] ?? 0) >= 0x40;
      if (isPair) at += 1;
      if (isPair && ((first >= from && first <= to) || kana.includes(first))) usual += 1;
    }
    return all === 0 ? 0 : usual / all;
  };
}
