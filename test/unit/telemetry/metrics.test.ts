import { expect } from 'chai';
import type { HttpMetrics } from '../../../src/http/index.ts';
import { createMetrics, metricTable } from '../../../src/telemetry/index.ts';
import type { Metrics } from '../../../src/telemetry/index.ts';

describe('createMetrics', () => {
  let metrics: Metrics;
  const render = async (): Promise<string[]> => (await metrics.http.render()).split('\n');

  beforeEach(() => {
    metrics = createMetrics({ version: '1.2.3', node: 'node1' });
  });
  afterEach(() => metrics.close());

  it('registers every row of the table under its own quorate_ name', async () => {
    const page = await render();
    const specs = Object.values(metricTable);
    expect(new Set(specs.map(({ name }) => name)).size).to.equal(specs.length);
    for (const { name, kind, help } of specs) {
      expect(name).to.match(/^quorate_[a-z_]+$/);
      expect(name.endsWith('_total'), name).to.equal(kind === 'counter');
      expect(page).to.include(`# TYPE ${name} ${kind}`).and.to.include(`# HELP ${name} ${help}`);
    }
  });

  it('handles set, count and observe with labels by position', async () => {
    metrics.raftTerm.set(7);
    metrics.gossipMembers.set(3, 'alive');
    metrics.events.inc('DOWN');
    metrics.events.add(2, 'DOWN');
    metrics.snapshots.inc('install', 'ok');
    metrics.logWriteSeconds.observe(0.002);
    const page = await render();
    expect(page).to.include.members([
      'quorate_raft_term 7',
      'quorate_gossip_members{state="alive"} 3',
      'quorate_events_total{status="DOWN"} 3',
      'quorate_snapshots_total{action="install",result="ok"} 1',
      'quorate_log_write_seconds_bucket{le="0.001"} 0',
      'quorate_log_write_seconds_bucket{le="0.0025"} 1',
      'quorate_log_write_seconds_count 1',
      'quorate_build_info{version="1.2.3",node="node1"} 1',
    ]);
  });

  it('reset() of a gauge forgets label values that are gone', async () => {
    metrics.gossipMembers.set(3, 'alive');
    metrics.gossipMembers.set(1, 'dead');
    metrics.gossipMembers.reset();
    metrics.gossipMembers.set(4, 'alive');
    const lines = (await render()).filter((line) => line.startsWith('quorate_gossip_members{'));
    expect(lines).to.deep.equal(['quorate_gossip_members{state="alive"} 4']);
  });

  it('counts label values beyond the bound as other', async () => {
    for (let i = 0; i < 600; i++) metrics.events.inc(`S${i}`);
    const lines = (await render()).filter((line) => line.startsWith('quorate_events_total{'));
    expect(lines).to.have.length(501);
    expect(lines).to.include('quorate_events_total{status="other"} 100');
  });

  it('onScrape() updates gauges right before each page', async () => {
    let keys = 0;
    metrics.onScrape(() => metrics.storeKeys.set(++keys));
    await render();
    expect(await render()).to.include('quorate_store_keys 2');
  });

  it('serves as the metrics of the HTTP side', async () => {
    const http: HttpMetrics = metrics.http;
    http.observeRequest('/set', 200, 0.0002);
    http.observeRequest('/set', 400, 0.0001);
    expect(http.contentType).to.match(/^text\/plain/);
    expect(await render()).to.include.members([
      'quorate_http_requests_total{route="/set",status="200"} 1',
      'quorate_http_requests_total{route="/set",status="400"} 1',
      'quorate_http_request_seconds_count{route="/set"} 2',
    ]);
  });

  it('shows the process and the lag of the event loop', async () => {
    const page = await render();
    expect(page.some((line) => line.startsWith('process_resident_memory_bytes '))).to.equal(true);
    const lag = page.find((line) => line.startsWith('quorate_event_loop_lag_seconds '));
    expect(Number(lag?.split(' ')[1])).to.be.at.least(0);
  });

  it('keeps registries apart: several nodes may live in one process', async () => {
    const other = createMetrics({ version: '1', node: 'node2' });
    other.raftTerm.set(9);
    other.close();
    expect(await render()).not.to.include('quorate_raft_term 9');
  });
});
