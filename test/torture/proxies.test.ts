import { expect } from 'chai';
import { createConnection, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { waitFor } from '../support/e2e/index.ts';
import { Proxies } from '../support/torture/index.ts';

/** A node's Raft port that says what it heard, and repeats it. */
class Echo {
  readonly server: Server;
  heard = '';

  constructor(port: number) {
    this.server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (chunk: Buffer) => {
        this.heard += chunk.toString();
        socket.write(chunk);
      });
    }).listen(port, '127.0.0.1');
  }
}

class Peer {
  readonly socket: Socket;
  heard = '';

  constructor(name: string, raft: string) {
    const [host = '', port = ''] = raft.split(':');
    this.socket = createConnection(Number(port), host);
    this.socket.on('error', () => undefined);
    this.socket.on('data', (chunk: Buffer) => (this.heard += chunk.toString()));
    this.socket.write(`greeting of ${name}@aa01;`);
  }
}

describe('Proxies', () => {
  let proxies: Proxies;
  let echo: Echo;
  let one: Peer;
  let three: Peer;

  beforeEach(async () => {
    proxies = await Proxies.create(3);
    const place = proxies.places[1];
    echo = new Echo(place?.ports.raft ?? 0);
    one = new Peer('node1', place?.raft ?? '');
    three = new Peer('node3', place?.raft ?? '');
    await waitFor('both are greeted', () => /node1/.test(one.heard) && /node3/.test(three.heard));
  });

  afterEach(async () => {
    for (const peer of [one, three]) peer.socket.destroy();
    echo.server.close();
    await proxies.close();
  });

  it('cut() holds back what one node sends to another until it is mended, and nothing else', async () => {
    await proxies.cut([{ from: 1, to: 2 }]);
    one.socket.write('lost;');
    three.socket.write('passes;');
    await waitFor('the other arrives', () => three.heard.includes('passes;'));
    expect(echo.heard).to.not.contain('lost;');
    await proxies.cut([]);
    await waitFor('it arrives late', () => one.heard.includes('lost;'));
  });

  it('cut() of the way back lets requests arrive and holds back the answers', async () => {
    await proxies.cut([{ from: 2, to: 1 }]);
    one.socket.write('asked;');
    await waitFor('it arrives', () => echo.heard.includes('asked;'));
    three.socket.write('passes;');
    await waitFor('the other is answered', () => three.heard.includes('passes;'));
    expect(one.heard).to.not.contain('asked;');
    await proxies.cut([]);
    await waitFor('the answer comes late', () => one.heard.includes('asked;'));
  });
});
