import type { IncomingMessage } from 'node:http';
import { QuorateError } from '../shared/index.ts';
import type { HttpLimits } from './limits.ts';
import { paramError, RefusedRequest, tooLarge } from './refusal.ts';

type FormLimits = Pick<HttpLimits, 'formBytesMax' | 'formBytesInFlightMax'>;

/** Whether a body follows the headers. */
export function hasBody(request: IncomingMessage): boolean {
  const { headers } = request;
  const length = headers['content-length'];
  return (length !== undefined && length !== '0') || headers['transfer-encoding'] !== undefined;
}

/** Why a form body cannot be accepted, seen from its headers alone; undefined when it can. */
export function refusedForm(
  request: IncomingMessage,
  formBytesMax: number,
): RefusedRequest | undefined {
  const { headers } = request;
  const type = (headers['content-type'] ?? formType).split(';', 1)[0]?.trim().toLowerCase();
  if (type !== formType || (headers['content-encoding'] ?? 'identity') !== 'identity') {
    const text = `unsupported body: send ${formType} without content encoding`;
    return new RefusedRequest({ status: 415, text, reason: `PARAM_INVALID: ${text}` });
  }
  const declaredBytes = Number(headers['content-length'] ?? 0);
  if (declaredBytes > formBytesMax) return tooLarge('form body', declaredBytes, formBytesMax);
  return undefined;
}

const formType = 'application/x-www-form-urlencoded';

/** Receives form bodies within a bound for each and one for all of them together. */
export class FormReader {
  readonly #limits: FormLimits;
  #bytesInFlight = 0;

  constructor(limits: FormLimits) {
    this.#limits = limits;
  }

  /**
   * The body, one byte per character. Throws 413 above the limit, 415 for anything but a form,
   * OVERLOADED when too much is being received at once.
   */
  async read(request: IncomingMessage): Promise<string> {
    const refused = refusedForm(request, this.#limits.formBytesMax);
    if (refused) throw refused;
    const held = { bytes: 0 };
    try {
      return await this.#receive(request, held);
    } finally {
      this.#bytesInFlight -= held.bytes;
    }
  }

  #receive(request: IncomingMessage, held: { bytes: number }): Promise<string> {
    const chunks: Buffer[] = [];
    return new Promise((resolve, reject) => {
      const fail = (error: Error): void => {
        request.removeAllListeners('data');
        request.resume();
        reject(error);
      };
      request.on('data', (chunk: Buffer) => {
        const refused = this.#hold(chunk.length, held);
        if (refused) fail(refused);
        else chunks.push(chunk);
      });
      request.once('end', () => resolve(Buffer.concat(chunks).toString('latin1')));
      request.once('error', () => fail(paramError('the body was cut short')));
      request.once('close', () => fail(paramError('the body was cut short')));
    });
  }

  #hold(byteCount: number, held: { bytes: number }): Error | undefined {
    const { formBytesMax, formBytesInFlightMax } = this.#limits;
    held.bytes += byteCount;
    this.#bytesInFlight += byteCount;
    if (held.bytes > formBytesMax) return tooLarge('form body', held.bytes, formBytesMax);
    if (this.#bytesInFlight <= formBytesInFlightMax) return undefined;
    return new QuorateError(
      'OVERLOADED',
      `Cannot receive the form as bodies in flight must stay below ${formBytesInFlightMax} bytes`,
    );
  }
}
