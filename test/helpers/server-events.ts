import type { Progress } from '../../src/wire/documents.ts';

export interface ReadEvent {
  id: string;
  event: string;
  data: Progress;
}

/** Reads a stream of Server-Sent Events to its end; heartbeats are left out. */
export async function readEvents(url: string, headers: Record<string, string> = {}): Promise<ReadEvent[]> {
  const response = await fetch(url, { headers });
  if (!(response.headers.get('content-type') ?? '').startsWith('text/event-stream'))
    throw new Error(`no event stream: ${response.status}`);
  const blocks = (await response.text()).split('\n\n').filter((block) => block.includes('data: '));
  return blocks.map((block) => {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1] ?? '';
    return { id: field('id'), event: field('event'), data: JSON.parse(field('data')) as Progress };
  });
}
