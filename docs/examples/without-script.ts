/*
 * A web page without a line of script, and the server that makes it: a form, and after it the pictures that were sent,
 * each held by the service until it exists. Run it beside `npm start`:
 *
 *   node docs/examples/without-script.ts http://localhost:3000 4000
 *
 * Node 22.18 and newer run TypeScript; for Node 20 there is `npx tsx`.
 *
 * The ids of uploads stay here; the page shows public ids alone, which read pictures and nothing else.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';

interface SentUpload {
  state: string;
  file: { name: string };
  error: { detail: string } | null;
  links: { variants: string };
}

const [service = 'http://localhost:3000', port = '4000'] = process.argv.slice(2);

const server = createServer((request, response) => {
  answer(request, response).catch((error: unknown) => {
    // Whoever leaves the page does not wait for its pictures.
    if (response.destroyed) return;
    console.error(error);
    if (!response.headersSent) response.writeHead(502, { 'Content-Type': 'text/plain' });
    response.end('The service cannot be reached.');
  });
});

server.listen(Number(port), '127.0.0.1', () => {
  const address = server.address();
  if (typeof address === 'object' && address !== null) console.log(`http://127.0.0.1:${address.port}`);
});

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.url?.startsWith('/variants/') === true) return await passVariant(request.url, response);
  const uploads = request.method === 'POST' ? await passForm(request) : [];
  response.writeHead(200, {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': "default-src 'none'; img-src 'self'; form-action 'self'",
  });
  response.end(page(uploads));
}

/** The form goes on as it comes; it is answered when the files are stored, long before the pictures are made. */
async function passForm(request: IncomingMessage): Promise<SentUpload[]> {
  const init = {
    method: 'POST',
    headers: { 'Content-Type': request.headers['content-type'] ?? '' },
    body: Readable.toWeb(request),
    duplex: 'half',
  };
  const sent = await fetch(`${service}/uploads`, init as RequestInit);
  const body = (await sent.json()) as { uploads: SentUpload[] } | { detail: string };
  return 'uploads' in body
    ? body.uploads
    : [{ state: 'failed', file: { name: '' }, error: body, links: { variants: '' } }];
}

/** Held by the service until the picture exists. */
async function passVariant(path: string, response: ServerResponse): Promise<void> {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  const variant = await fetch(`${service}${path}`, { signal: gone.signal });
  response.writeHead(variant.status, {
    'Content-Type': variant.headers.get('Content-Type') ?? 'application/octet-stream',
  });
  response.end(Buffer.from(await variant.arrayBuffer()));
}

function page(uploads: readonly SentUpload[]): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Pictures</title>
<h1>Pictures</h1>
<form method="post" enctype="multipart/form-data">
<label>Pictures <input type="file" name="file" accept="image/*" multiple required></label>
<button>Send</button>
</form>
${uploads.map(figure).join('\n')}
</html>`;
}

function figure({ file, error, links }: SentUpload): string {
  const name = escaped(file.name);
  if (error !== null) return `<p>${name} ${escaped(error.detail)}</p>`;
  return `<figure><img src="${escaped(links.variants)}/640" alt="${name}"><figcaption>${name}</figcaption></figure>`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
