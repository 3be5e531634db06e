import type { Sample } from '../kind.ts';
import { isHtml } from '../other-text.ts';
import { decodeHead, sniffEncoding } from '../text-encoding.ts';
import type { KindDefinition } from './definition.ts';
import type { ExecManifest } from './exec-manifest.ts';

/** The type of files that nothing recognizes. */
const ANY_BYTES = 'application/octet-stream';

const JSON_TYPE = 'application/json';

/**
 * Returns the kind of files that a program takes. Most types have a signature. Otherwise a text has the first `text/`
 * type of the manifest, JSON `application/json`, and unknown bytes `application/octet-stream`.
 */
export function execKind({ name, types }: Pick<ExecManifest, 'name' | 'types'>): KindDefinition {
  const textType = types.find((type) => type.startsWith('text/'));
  return {
    name,
    types,
    sniff(sample) {
      if (types.includes(JSON_TYPE) && isJson(sample)) return JSON_TYPE;
      if (textType !== undefined && isText(sample)) return textType;
      return types.includes(ANY_BYTES) ? ANY_BYTES : undefined;
    },
  };
}

/** True for JSON. The beginning of a longer file cannot be parsed, so its first characters decide. */
function isJson(sample: Sample): boolean {
  const text = textOf(sample);
  if (text === undefined || !/^\s*(?:\{\s*["}]|\[)/.test(text)) return false;
  if (!sample.isWhole) return true;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function isText(sample: Sample): boolean {
  const text = textOf(sample);
  return text !== undefined && !isHtml(text);
}

function textOf({ head }: Sample): string | undefined {
  const encoded = sniffEncoding(head);
  return encoded === undefined ? undefined : decodeHead(head, encoded);
}
