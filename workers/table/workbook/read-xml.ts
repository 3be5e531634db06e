import sax, { type SAXParser, type Tag } from 'sax';
import { UnprocessableError } from '../../unprocessable-error.ts';
import type { PartChunk } from './archive.ts';

/** Hears what stands in a part; names come without their prefixes. */
export interface XmlListener {
  open?(name: string, attributes: Readonly<Record<string, string>>): void;
  /** May come in several pieces. */
  text?(text: string): void;
  close?(name: string): void;
  /** True if the memory of the listener is full: the reader yields before it reads on. */
  readonly isFull?: boolean;
}

/** Deeper than any part of a workbook goes. */
const MAX_DEPTH = 64;

/** The root of a sheet declares some twenty namespaces; a parser keeps all attributes of an element at once. */
const MAX_ATTRIBUTES = 256;

/** Few enough that a sheet of tiny rows cannot fill a listener far beyond its limit. */
const SLICE_CHARACTERS = 2048;

/** Between two tags, which the parser bounds itself; the longest cell of a workbook has 32,767. */
export const MAX_TEXT_CHARACTERS = 1024 * 1024;

/**
 * Reads a part of a workbook and yields, after each piece of it, how much has been read. What a listener throws is
 * thrown on; what is no XML, or has a document type, which may define text that grows without end, is `table_damaged`.
 */
export async function* readXml(
  chunks: AsyncIterable<PartChunk>,
  listener: XmlListener,
): AsyncGenerator<number, void, undefined> {
  const reader = new XmlReader(listener);
  let decoder: TextDecoder | undefined;
  for await (const { bytes, fraction } of chunks) {
    decoder ??= new TextDecoder(isUtf16(bytes) ? 'utf-16le' : 'utf-8', { fatal: true });
    const text = decode(decoder, bytes);
    for (let at = 0; at < text.length; at += SLICE_CHARACTERS) {
      reader.write(text.slice(at, at + SLICE_CHARACTERS));
      if (listener.isFull === true) yield fraction;
    }
    yield fraction;
  }
  reader.end(decoder === undefined ? '' : decode(decoder));
}

function isUtf16(bytes: Buffer): boolean {
  return bytes[0] === 0xff && bytes[1] === 0xfe;
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
    this.#listener.open?.(localName(name), attributes);
  }

  #attribute(): void {
    this.#attributes += 1;
    if (this.#attributes > MAX_ATTRIBUTES) throw notXml();
  }

  #close(name: string): void {
    this.#textCharacters = 0;
    this.#depth -= 1;
    this.#listener.close?.(localName(name));
  }

  #text(text: string): void {
    this.#textCharacters += text.length;
    if (this.#textCharacters > MAX_TEXT_CHARACTERS) throw notXml();
    this.#listener.text?.(text);
  }
}

function localName(name: string): string {
  const colon = name.indexOf(':');
  return colon < 0 ? name : name.slice(colon + 1);
}

function notXml(cause?: unknown): UnprocessableError {
  return new UnprocessableError(
    'table_damaged',
    'The workbook is damaged: a part of it cannot be read. Save it anew.',
    { cause },
  );
}
