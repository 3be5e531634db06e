/** An answer with its JSON body. The type is only expected; assertions check it. */
export interface JsonAnswer<Body> {
  status: number;
  headers: Headers;
  body: Body;
}

export interface FileToSend {
  name: string;
  bytes: Buffer;
}

/** Sends a request and parses the JSON answer. An empty body becomes null. */
export async function requestJson<Body>(url: string, init?: RequestInit): Promise<JsonAnswer<Body>> {
  const response = await fetch(url, init);
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: JSON.parse(text === '' ? 'null' : text) as Body };
}

export async function getJson<Body>(url: string, headers: Record<string, string> = {}): Promise<JsonAnswer<Body>> {
  return await requestJson<Body>(url, { headers });
}

/** Sends one multipart request with the files in order. */
export async function postFiles<Body>(
  url: string,
  files: readonly FileToSend[],
  query = '',
): Promise<JsonAnswer<Body>> {
  const form = new FormData();
  for (const { name, bytes } of files) form.append('file', new Blob([new Uint8Array(bytes)]), name);
  return await requestJson<Body>(`${url}/uploads${query}`, { method: 'POST', body: form });
}

/** Sends one raw upload under the given id. */
export async function putFile<Body>(
  url: string,
  id: string,
  bytes: Buffer,
  name: string,
  query = '',
  headers: Record<string, string> = {},
): Promise<JsonAnswer<Body>> {
  return await requestJson<Body>(`${url}/uploads/${id}${query}`, {
    method: 'PUT',
    body: new Uint8Array(bytes),
    headers: { 'Content-Disposition': `attachment; filename="${name}"`, ...headers },
  });
}
