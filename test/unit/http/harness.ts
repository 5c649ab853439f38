import { request } from 'node:http';
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { createHttpServer } from '../../../src/http/index.ts';
import type { HttpLimits, HttpServer } from '../../../src/http/index.ts';
import { fakeLogger, fakeMetrics, fakeNode } from './fake-node.ts';
import type { FakeMetrics, FakeNode, LogLine } from './fake-node.ts';

export interface Harness extends FakeNode {
  readonly server: HttpServer;
  /** host:port */
  readonly address: string;
  readonly metrics: FakeMetrics;
  readonly logs: LogLine[];
  /** Broken invariants that were reported. */
  readonly broken: Error[];
}

/** A server on a drawn port above a fake node. */
export async function startHarness(limits: Partial<HttpLimits> = {}): Promise<Harness> {
  const node = fakeNode();
  const metrics = fakeMetrics();
  const logs: LogLine[] = [];
  const broken: Error[] = [];
  const server = createHttpServer({
    api: node.api,
    logger: fakeLogger(logs),
    metrics,
    version: '1.2.3',
    limits,
    onInvariantBroken: (error) => void broken.push(error),
  });
  const address = await server.start('127.0.0.1:0');
  return { ...node, server, address, metrics, logs, broken };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Question {
  readonly method?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Buffer;
}

/** One request on a connection of its own; the path is sent as it is. */
export function ask(address: string, path: string, question: Question = {}): Promise<Answer> {
  const { method = 'GET', headers = {}, body } = question;
  const [host, port] = address.split(':');
  return new Promise((resolve, reject) => {
    const sent = request({ host, port, path, method, headers, agent: false }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.once('error', reject);
      answer.once('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text });
      });
    });
    sent.once('error', reject);
    sent.end(body);
  });
}

/** POST of a form body. */
export function post(address: string, path: string, form: string | Buffer): Promise<Answer> {
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
  return ask(address, path, { method: 'POST', headers, body: form });
}

/** An open connection and what came back on it. */
export interface RawClient {
  readonly socket: Socket;
  readonly received: () => string;
  /** Errors of the connection, such as a reset. */
  readonly errors: Error[];
  /** Resolves with all that came when the server has closed the connection. */
  readonly closed: () => Promise<string>;
}

export function rawClient(address: string): RawClient {
  const [host, port] = address.split(':');
  const socket = connect({ host: host ?? '', port: Number(port) });
  let text = '';
  socket.setEncoding('latin1');
  socket.on('data', (chunk: string) => (text += chunk));
  const errors: Error[] = [];
  socket.on('error', (error) => errors.push(error));
  const closed = new Promise<string>((resolve) => socket.once('close', () => resolve(text)));
  return { socket, errors, received: () => text, closed: () => closed };
}

/** Resolves when `holds` does; rejects after `deadlineMs`. */
export async function until(holds: () => boolean, deadlineMs = 5000): Promise<void> {
  const startedAtMs = performance.now();
  while (!holds()) {
    if (performance.now() - startedAtMs > deadlineMs) throw new Error('Condition never held');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
