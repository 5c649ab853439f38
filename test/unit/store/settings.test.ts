import { expect } from 'chai';
import type { DecisionSettings } from '../../../src/shared/index.ts';
import { defaultDecisionSettings } from '../../../src/store/index.ts';
import type { Operation } from '../../../src/store/index.ts';
import { Store } from './harness.ts';

const settings = (changes: Partial<DecisionSettings>): Operation => ({
  kind: 'putSettings',
  settings: changes,
});

describe('StateMachine settings', () => {
  it('settings are null until the first putSettings, which completes them', () => {
    const store = new Store();
    expect(store.machine.settings).to.equal(null);
    store.must(settings({ gossipQuorum: 3 }));
    expect(store.machine.settings).to.deep.equal({ ...defaultDecisionSettings, gossipQuorum: 3 });
    expect(store.lastNotices).to.deep.equal([
      { kind: 'settings', settings: store.machine.settings },
    ]);
  });

  it('apply of putSettings merges every field', () => {
    const store = new Store();
    const all: DecisionSettings = {
      gossipQuorum: 4,
      minZones: 2,
      eventIntervalMs: 0,
      eventHoldMs: 1,
      notifyOn: 'all',
      notifyTimeoutMs: 2,
      notifyRetries: 0,
    };
    store.must(settings(all));
    expect(store.machine.settings).to.deep.equal(all);
    store.must(settings({ gossipQuorum: 'majority', minZones: 'auto', notifyOn: 'leader' }));
    expect(store.restored().machine.settings).to.deep.equal({
      ...all,
      gossipQuorum: 'majority',
      minZones: 'auto',
      notifyOn: 'leader',
    });
  });

  it('apply of putSettings that change nothing takes no revision', () => {
    const store = new Store();
    store.must(settings({ ...defaultDecisionSettings }));
    const nothing = store.run(settings({ notifyRetries: defaultDecisionSettings.notifyRetries }));
    expect(nothing).to.include({ ok: true, changed: false, revision: 1 });
    expect(store.run(settings({}))).to.include({ changed: false });
  });

  it('apply of putSettings refuses values out of range', () => {
    const store = new Store();
    const refused = { ok: false, code: 'PARAM_INVALID' };
    expect(store.run(settings({ gossipQuorum: 1001 }))).to.include(refused);
    expect(store.run(settings({ eventHoldMs: 1e12 }))).to.include(refused);
    expect(store.run(settings({ notifyTimeoutMs: 0 }))).to.include(refused);
  });
});
