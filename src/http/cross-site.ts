import type { IncomingHttpHeaders } from 'node:http';

/**
 * Whether a browser sent this on behalf of another site's page. Programs send neither header; a page
 * cannot forge them. An Origin with another port is another site, and so is `null`.
 */
export function isCrossSite(headers: IncomingHttpHeaders): boolean {
  if (headers['sec-fetch-site'] === 'cross-site') return true;
  const { origin, host } = headers;
  return origin !== undefined && !isSameHost(origin, host ?? '');
}

function isSameHost(origin: string, host: string): boolean {
  if (!URL.canParse(origin)) return false;
  const { protocol, host: originHost } = new URL(origin);
  const own = `${protocol}//${host}`;
  return originHost !== '' && URL.canParse(own) && new URL(own).host === originHost;
}
