/**
 * Returns the address of a link of a document, which is a path at the host of the service. The links of a service with
 * a mount path begin with this path. Behind a proxy that removes a path they do not.
 *
 * @param baseUrl empty for the origin of the page
 */
export function resolveLink(baseUrl: string, link: string): string {
  if (/^[a-z][a-z\d+.-]*:/i.test(link)) return link;
  const origin = /^[a-z][a-z\d+.-]*:\/\/[^/]*/i.exec(baseUrl)?.[0] ?? '';
  const path = withoutEndSlashes(baseUrl.slice(origin.length));
  return link.startsWith(`${path}/`) ? `${origin}${link}` : `${origin}${path}${link}`;
}

/** Removes all slashes at the end of an address. */
export function withoutEndSlashes(url: string): string {
  let end = url.length;
  while (url[end - 1] === '/') end -= 1;
  return url.slice(0, end);
}
