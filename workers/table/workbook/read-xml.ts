import sax, { type SAXParser, type Tag } from 'sax';
import { UnprocessableError } from '../../unprocessable-error.ts';
import type { PartChunk } from './archive.ts';

/**
 * Receives the content of a part. Names have no prefix, and only names of the part's own namespace are passed on: other
 * programs and later versions add elements with the same names in extension lists.
 */
export interface XmlListener {
  open?(name: string, attributes: Readonly<Record<string, string>>): void;
  /** Called with a piece of text, several times for one text. */
  text?(text: string): void;
  close?(name: string): void;
  /** If true, the memory of the listener is full, and the reader yields before it continues. */
  readonly isFull?: boolean;
}

const LESS_THAN = 60;

/** Maximum depth of elements. No part of a real workbook is deeper. */
const MAX_DEPTH = 64;

/** The root of a sheet declares about twenty namespaces. A parser keeps all attributes of an element at once. */
const MAX_ATTRIBUTES = 256;

/**
 * The parser gets pieces of this size. They are so small that a sheet of tiny rows cannot fill a listener far beyond
 * its limit.
 */
const SLICE_CHARACTERS = 2048;

/** The longest text between two tags. The longest cell of a workbook has 32,767 characters. */
export const MAX_TEXT_CHARACTERS = 1024 * 1024;

/**
 * Reads a part of a workbook. After each piece it yields the fraction that has been read. Errors of the listener are
 * passed on. Throws `table_damaged` for invalid XML, and for a document type, because its entities can expand without
 * limit.
 */
export async function* readXml(
  chunks: AsyncIterable<PartChunk>,
  listener: XmlListener,
): AsyncGenerator<number, void, undefined> {
  const reader = new XmlReader(listener);
  const lineEnds = new LineEnds();
  let decoder: TextDecoder | undefined;
  for await (const { bytes, fraction } of chunks) {
    decoder ??= new TextDecoder(encodingOf(bytes), { fatal: true });
    const text = lineEnds.normalize(decode(decoder, bytes));
    for (let at = 0; at < text.length; at += SLICE_CHARACTERS) {
      reader.write(text.slice(at, at + SLICE_CHARACTERS));
      if (listener.isFull === true) yield fraction;
    }
    yield fraction;
  }
  reader.end(decoder === undefined ? '' : decode(decoder));
}

/** Detects the encoding by the byte order mark or by the first `<` (XML 1.0, appendix F). */
function encodingOf([first, second]: Buffer): string {
  if ((first === 0xff && second === 0xfe) || (first === LESS_THAN && second === 0)) return 'utf-16le';
  return (first === 0xfe && second === 0xff) || (first === 0 && second === LESS_THAN) ? 'utf-16be' : 'utf-8';
}

/** Converts each line end to a line feed (XML 1.0, section 2.11), because the parser does not. */
class LineEnds {
  #endsWithReturn = false;

  normalize(text: string): string {
    const rest = this.#endsWithReturn && text.startsWith('\n') ? text.slice(1) : text;
    if (text !== '') this.#endsWithReturn = text.endsWith('\r');
    return rest.includes('\r') ? rest.replace(/\r\n?/g, '\n') : rest;
  }
}

function decode(decoder: TextDecoder, bytes?: Buffer): string {
  try {
    return decoder.decode(bytes, { stream: bytes !== undefined });
  } catch (error) {
    throw notXml(error);
  }
}

class XmlReader {
  readonly #parser: SAXParser = sax.parser(true, { position: false });
  readonly #listener: XmlListener;
  #depth = 0;
  /** The depth of the extension list or foreign element that is being skipped. Infinity: none. */
  #foreignDepth = Infinity;
  /** Prefixes of the root's namespace, each with its colon. */
  #ownPrefixes: ReadonlySet<string> = new Set();
  #textCharacters = 0;
  #attributes = 0;

  constructor(listener: XmlListener) {
    this.#listener = listener;
    this.#parser.onerror = (error) => {
      throw notXml(error);
    };
    this.#parser.ondoctype = () => {
      throw notXml();
    };
    this.#parser.onopentagstart = () => (this.#attributes = 0);
    this.#parser.onattribute = () => this.#attribute();
    this.#parser.onopentag = (tag) => this.#open(tag as Tag);
    this.#parser.onclosetag = (name) => this.#close(name);
    this.#parser.ontext = (text) => this.#text(text);
    this.#parser.oncdata = (text) => this.#text(text);
  }

  write(text: string): void {
    this.#parser.write(text);
  }

  end(text: string): void {
    this.#parser.write(text).close();
  }

  #open({ name, attributes }: Tag): void {
    this.#textCharacters = 0;
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw notXml();
    const { prefix, local } = splitName(name);
    if (this.#depth === 1) this.#ownPrefixes = prefixesLike(prefix, attributes);
    if (this.#depth >= this.#foreignDepth) return;
    if (local === 'extLst' || !this.#ownPrefixes.has(prefix)) this.#foreignDepth = this.#depth;
    else this.#listener.open?.(local, attributes);
  }

  #attribute(): void {
    this.#attributes += 1;
    if (this.#attributes > MAX_ATTRIBUTES) throw notXml();
  }

  #close(name: string): void {
    this.#textCharacters = 0;
    const isForeign = this.#depth >= this.#foreignDepth;
    if (this.#depth === this.#foreignDepth) this.#foreignDepth = Infinity;
    this.#depth -= 1;
    if (!isForeign) this.#listener.close?.(splitName(name).local);
  }

  #text(text: string): void {
    this.#textCharacters += text.length;
    if (this.#textCharacters > MAX_TEXT_CHARACTERS) throw notXml();
    if (this.#depth < this.#foreignDepth) this.#listener.text?.(text);
  }
}

function splitName(name: string): { prefix: string; local: string } {
  const colon = name.indexOf(':') + 1;
  return { prefix: name.slice(0, colon), local: name.slice(colon) };
}

/** Returns the prefixes that a root declares for its own namespace. */
function prefixesLike(prefix: string, attributes: Tag['attributes']): Set<string> {
  const own = attributes[prefix === '' ? 'xmlns' : `xmlns:${prefix.slice(0, -1)}`];
  const same = Object.entries(attributes).filter(([key, value]) => value === own && /^xmlns(?::|$)/.test(key));
  return new Set([prefix, ...same.map(([key]) => (key === 'xmlns' ? '' : `${key.slice('xmlns:'.length)}:`))]);
}

function notXml(cause?: unknown): UnprocessableError {
  return new UnprocessableError(
    'table_damaged',
    'The workbook is damaged: a part of it cannot be read. Save it again and upload it.',
    { cause },
  );
}
