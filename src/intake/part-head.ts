import { ServiceError } from '../errors.ts';
import { headerParameters } from '../http/header-parameters.ts';
import { sentFileName } from '../http/sent-file-name.ts';
import {
  AS_FILE,
  isForm,
  isTransferEncoded,
  malformedHead,
  namelessFile,
  nestedForm,
  transferEncoded,
} from './form-errors.ts';
import { OPTIONS_FIELD } from './options.ts';
import { refuseContentRange } from './parts-hint.ts';

/** The headers of one part of a form. */
export interface PartHead {
  partType: 'field' | 'file';
  /** The field name. Empty if there is none. */
  name: string;
  /** The name that the client sent, decoded. Empty if it sent none. */
  fileName: string;
  /** The same head in a form that no parser can misread. */
  plain: string;
}

/** A header line, in which each byte is one character. */
const LINE = /^([!#$%&'*+\-.^`|~\w]+):([\t\x20-\x7e\x80-\xff]*)$/;

/** A part of these types without a file name is a field. */
const VALUE_TYPE =
  /^(?:text\/(?:plain|html|xml)|application\/(?:[\w.-]+\+)?(?:json|xml)|application\/x-www-form-urlencoded)$/;

const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json$/;

const MEDIA_TYPE = /^\s*([\w!#$&^.+-]+\/[\w!#$&^.+-]+)\s*(?:;|$)/;

/**
 * Reads the head of a part. Throws `bad_multipart` (400) if it is neither a file nor a field, so that no part is lost
 * silently, and for a nested form; `bad_request` (400) for a part of a file; `unsupported_encoding` (415).
 * @param block the header lines without the last line break.
 */
export function readPartHead(block: Buffer): PartHead {
  const headers = readLines(block.toString('latin1'));
  refuseContentRange(headers.get('content-range'), 'part');
  const type = MEDIA_TYPE.exec(headers.get('content-type') ?? '')?.[1]?.toLowerCase();
  if (type !== undefined && isForm(type)) throw nestedForm();
  const encoding = headers.get('content-transfer-encoding') ?? '';
  if (isTransferEncoded(encoding)) throw transferEncoded(encoding);
  const parameters = dispositionOf(headers.get('content-disposition'));
  const name = sentFileName(new Map([['filename', parameters.get('name') ?? '']])) ?? '';
  if (!isFile(name, type, parameters)) return { partType: 'field', name, fileName: '', plain: plainField(headers) };
  const fileName = baseName(sentFileName(parameters, unescapeFormName) ?? '');
  return { partType: 'file', name, fileName, plain: PLAIN_FILE };
}

const PLAIN_FILE = 'Content-Disposition: form-data; name="f"; filename="f"';

function plainField(headers: ReadonlyMap<string, string>): string {
  const charset = headerParameters(headers.get('content-type') ?? '').get('charset') ?? '';
  const type = /^[\w-]+$/.test(charset) ? `\r\nContent-Type: text/plain; charset=${charset}` : '';
  return `Content-Disposition: form-data; name="v"${type}`;
}

function readLines(text: string): Map<string, string> {
  const headers = new Map<string, string>();
  // A line that begins with a blank continues the previous one.
  for (const line of text.replace(/\r\n[ \t]+/g, ' ').split('\r\n')) {
    const [, name, value = ''] = LINE.exec(line) ?? [];
    if (name === undefined) throw malformedHead();
    const key = name.toLowerCase();
    if (!headers.has(key)) headers.set(key, value.trim());
  }
  return headers;
}

/** Returns the parameters of `Content-Disposition: form-data`, which each part must have (RFC 7578 section 4.2). */
function dispositionOf(header: string | undefined): Map<string, string> {
  if (header !== undefined && /^form-data\s*(?:;|$)/i.test(header)) return headerParameters(header);
  throw new ServiceError('bad_multipart', `The headers of a part have no Content-Disposition: form-data. ${AS_FILE}`);
}

/** True for a file. JSON options are a field even with a file name, because `FormData` gives each Blob one. */
function isFile(name: string, type: string | undefined, parameters: ReadonlyMap<string, string>): boolean {
  if (name === OPTIONS_FIELD && type !== undefined && JSON_TYPE.test(type)) return false;
  if ([...parameters.keys()].some((key) => /^filename(?:\*|$)/.test(key))) return true;
  if (type === 'application/octet-stream') return true;
  if (type !== undefined && !VALUE_TYPE.test(type)) throw namelessFile(type);
  return false;
}

/** Decodes the three escapes of multipart/form-data in the HTML standard. */
function unescapeFormName(name: string): string {
  return name.replaceAll('%22', '"').replace(/%0d/gi, '\r').replace(/%0a/gi, '\n');
}

function baseName(name: string): string {
  return name.split(/[/\\]/).at(-1) ?? '';
}
