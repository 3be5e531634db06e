import { headerParameters } from './header-parameters.ts';
import { sentFileName } from './sent-file-name.ts';

/** Returns `attachment` with the file name in both forms of RFC 6266: each browser uses the form that it supports. */
export function attachmentDisposition(fileName: string): string {
  const ascii = fileName.replace(/[^\x20-\x7e]|["\\%]/g, '_');
  const encoded = encodeURIComponent(fileName).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}

/**
 * Returns the file name in the `Content-Disposition` of a request: `filename*` (RFC 8187) if it can be decoded,
 * otherwise `filename`. Undefined if there is neither.
 */
export function dispositionFileName(header: string): string | undefined {
  return sentFileName(headerParameters(header));
}
