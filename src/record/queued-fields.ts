import type { Manifest } from '../storage/manifest.ts';

/** What a record says of an upload whose bytes are stored, and which waits for a worker. */
export function queuedFields({
  type,
  sizeBytes,
  sha256,
  options,
}: Pick<Manifest, 'type' | 'sizeBytes' | 'sha256' | 'options'>): Record<string, string> {
  const size = String(sizeBytes);
  return {
    state: 'queued',
    stage: 'queue',
    received: size,
    total: size,
    stored: '1',
    type,
    sha256: sha256 ?? '',
    options: JSON.stringify(options),
  };
}

/** The same, of one that is known from its manifest alone; what else lies there is of requests and attempts that nobody remembers. */
export function restoredFields({ receipt, name, ...stored }: Manifest): Record<string, string> {
  return { ...queuedFields(stored), receipt, name, strewn: '1' };
}
