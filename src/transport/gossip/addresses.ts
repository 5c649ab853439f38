import { isIPv6 } from 'node:net';

const MAPPED = '::ffff:';

/** host:port of a packet's or a connection's source; IPv4 in IPv6 is shown as IPv4. */
export function formatAddress(ip: string, port: number): string {
  const plain = ip.startsWith(MAPPED) && ip.includes('.') ? ip.slice(MAPPED.length) : ip;
  return isIPv6(plain) ? `[${plain}]:${port}` : `${plain}:${port}`;
}

/** The form in which a socket of that family reaches `ip`; null: it cannot. */
export function reachableAs(ip: string, family: 'udp4' | 'udp6'): string | null {
  if (family === 'udp6') return isIPv6(ip) ? ip : MAPPED + ip;
  return isIPv6(ip) ? null : ip;
}
