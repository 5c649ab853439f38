import { expect } from 'chai';
import { eventToJson } from '../../../src/store/index.ts';
import { end, put, start, Store } from './harness.ts';

describe('eventToJson', () => {
  const store = new Store();
  store.must(put('a', '1'));
  store.must(store.baseline('a', 'UP'));
  store.timeMs = 1_136_214_245_000;
  const id = store.must(store.recordEvent('a'));
  store.must(start(id, 1));
  store.must(end(id, 1));

  it('eventToJson has the names and the order of the interface', () => {
    const json = eventToJson(store.event(id), { withNotification: true });
    expect(JSON.stringify(json)).to.equal(
      '{"id":3,"token":"0000000001.0000000000000003","key":"a","value":"1","valueRevision":1,' +
        '"from":"UP","to":"DOWN","reason":"agreed","at":"2006-01-02T15:04:05.000Z",' +
        '"evidence":{"quorum":2,"minZones":1,"votes":[' +
        '{"node":"node1","zone":"a","verdict":"DOWN","samples":["DOWN","DOWN","DOWN"],' +
        '"ageMs":12,"counted":true},' +
        '{"node":"node2","zone":"","verdict":"ABSTAIN","samples":[],"ageMs":-1,"counted":false}]},' +
        '"notification":{"state":"done","attempts":[{"node":"node1","role":"leader",' +
        '"startedAt":"1970-01-01T00:00:05.000Z","ms":70,"exitCode":0,"signal":null,' +
        '"timedOut":false,"output":"switched"}]}}',
    );
  });

  it('eventToJson leaves the notification out for the script', () => {
    expect(eventToJson(store.event(id), { withNotification: false })).to.not.have.property(
      'notification',
    );
  });
});
