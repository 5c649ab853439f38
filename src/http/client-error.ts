import type { Duplex } from 'node:stream';
import type { HttpLimits } from './limits.ts';

interface RawRefusal {
  readonly status: number;
  readonly phrase: string;
  readonly text: string;
}

const lingerMs = 1000;

/**
 * Answers what Node's parser refused and closes the connection. The status that was sent, or 0 when
 * the client is gone or an earlier request on the connection is still being answered.
 */
export function answerClientError(
  error: NodeJS.ErrnoException,
  socket: Duplex,
  limits: HttpLimits,
): number {
  // What still arrives after the answer is malformed too.
  if (socket.writableEnded) return 0;
  if (error.code === 'ECONNRESET' || !socket.writable || isAnswering(socket)) {
    socket.destroy();
    return 0;
  }
  const { status, phrase, text } = refusalOfCode(error.code, limits);
  const body = `${text}\n`;
  socket.end(
    [
      `HTTP/1.1 ${status} ${phrase}`,
      'Content-Type: text/plain; charset=utf-8',
      'X-Content-Type-Options: nosniff',
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
  );
  linger(socket);
  return status;
}

/** An answer now would be taken for that of the request before; Node's own handler asks the same. */
function isAnswering(socket: Duplex): boolean {
  return Boolean((socket as { _httpMessage?: unknown })._httpMessage);
}

/** Closing with unread input resets the connection, and the client would lose the answer. */
function linger(socket: Duplex): void {
  const timer = setTimeout(() => socket.destroy(), lingerMs);
  socket.once('end', () => socket.destroy());
  socket.once('close', () => clearTimeout(timer));
  socket.resume();
}

function refusalOfCode(code: string | undefined, limits: HttpLimits): RawRefusal {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return {
        status: 431,
        phrase: 'Request Header Fields Too Large',
        text: requestLineText(limits),
      };
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return { status: 408, phrase: 'Request Timeout', text: 'request took too long to arrive' };
    case 'HPE_INVALID_URL':
      return {
        status: 400,
        phrase: 'Bad Request',
        text: 'malformed request target: percent-encode what is not printable ASCII',
      };
    default:
      return { status: 400, phrase: 'Bad Request', text: 'malformed request' };
  }
}

/** Names the limits and the way round them. */
export function requestLineText({ requestLineBytesMax, headerBytesMax }: HttpLimits): string {
  return (
    `request line above the limit of ${requestLineBytesMax} bytes ` +
    `or headers above ${headerBytesMax} bytes: send long values in a form body`
  );
}
