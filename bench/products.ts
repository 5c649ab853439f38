import { ask, get } from './system.ts';
import type { Kind, Pair, Product, Request, Server } from './system.ts';

const local = (port: number | undefined): string => `127.0.0.1:${port ?? 0}`;

export interface QuorateFlags {
  readonly name: string;
  readonly program: string;
  /** For every node, on top of the cluster's own. */
  readonly flags?: readonly string[];
}

export function quorate({ name, program, flags = [] }: QuorateFlags): Product {
  return {
    name,
    portsPerServer: 3,
    servers: (ports, directory) => {
      const joins = (column: number): string => ports.map((one) => local(one[column])).join(',');
      return ports.map(([http, raft, gossip], i) => ({
        http: local(http),
        directory: `${directory}/n${i + 1}`,
        command: [
          ...[process.execPath, program, 'serve', `--node=n${i + 1}`],
          ...[`--dataDir=${directory}/n${i + 1}`, `--http=${local(http)}`],
          ...[`--raft=${local(raft)}`, `--gossip=${local(gossip)}`],
          ...[`--join=${joins(0)}`, `--gossipJoin=${joins(2)}`],
          ...['--profile=lan', '--logLevel=warn', '--logFormat=json', ...flags],
          ...(i === 0 ? ['--bootstrap'] : []),
        ],
      }));
    },
    request: quorateRequest,
    isReady: async (http) => (await ask(http, get('/readyz')))?.status === 200,
    leaderOf: async (http) => {
      const answer = await ask(http, get('/leader'));
      return answer?.status === 200 ? answer.headers.get('x-quorate-leader-http') : null;
    },
  };
}

function quorateRequest(kind: Kind, { key, value }: Pair): Request {
  if (kind === 'write') return get(`/set?key=${key}&value=${value}`);
  if (kind === 'local read') return get(`/get?key=${key}&consistency=local`);
  return get(`/get?key=${key}`);
}

/** etcd with its default settings, asked through its HTTP gateway. */
export const etcd: Product = {
  name: 'etcd',
  portsPerServer: 2,
  servers: (ports, directory): Server[] => {
    const url = (port: number | undefined): string => `http://${local(port)}`;
    const cluster = ports.map(([, peer], i) => `n${i + 1}=${url(peer)}`).join(',');
    return ports.map(([client, peer], i) => ({
      http: local(client),
      directory: `${directory}/n${i + 1}`,
      command: [
        ...['etcd', '--name', `n${i + 1}`, '--data-dir', `${directory}/n${i + 1}`],
        ...['--listen-client-urls', url(client), '--advertise-client-urls', url(client)],
        ...['--listen-peer-urls', url(peer), '--initial-advertise-peer-urls', url(peer)],
        ...['--initial-cluster', cluster, '--initial-cluster-state', 'new'],
      ],
    }));
  },
  request: (kind, pair) => {
    const key = Buffer.from(pair.key).toString('base64');
    const post = (path: string, fields: object): Request => ({
      method: 'POST',
      path,
      body: JSON.stringify({ key, ...fields }),
    });
    const encoded = Buffer.from(pair.value).toString('base64');
    if (kind === 'write') return post('/v3/kv/put', { value: encoded });
    return post('/v3/kv/range', kind === 'local read' ? { serializable: true } : {});
  },
  isReady: async (http) => (await ask(http, get('/health')))?.text.includes('"true"') ?? false,
  leaderOf: leaderOfEtcd,
};

async function leaderOfEtcd(http: string): Promise<string | null> {
  const post = (path: string): Request => ({ method: 'POST', path, body: '{}' });
  const status = await ask(http, post('/v3/maintenance/status'));
  const members = await ask(http, post('/v3/cluster/member/list'));
  if (status?.status !== 200 || members?.status !== 200) return null;
  const { leader } = JSON.parse(status.text) as { leader?: string };
  const list = JSON.parse(members.text) as { members: { ID: string; clientURLs?: string[] }[] };
  const found = list.members.find(({ ID }) => ID === leader)?.clientURLs?.[0];
  return found?.replace('http://', '') ?? null;
}
