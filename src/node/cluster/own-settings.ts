import type { Config } from '../../config/index.ts';
import type { DecisionSettings } from '../../shared/index.ts';

/** The decision settings as this node's flags state them. */
export function settingsFrom(config: Config): DecisionSettings {
  return {
    gossipQuorum: config.gossipQuorum,
    minZones: config.minZones,
    eventIntervalMs: config.eventInterval,
    eventHoldMs: config.eventHold,
    notifyOn: config.notifyOn,
    notifyTimeoutMs: config.notifyTimeout,
    notifyRetries: config.notifyRetries,
  };
}

const flagOf = {
  gossipQuorum: 'gossipQuorum',
  minZones: 'minZones',
  eventIntervalMs: 'eventInterval',
  eventHoldMs: 'eventHold',
  notifyOn: 'notifyOn',
  notifyTimeoutMs: 'notifyTimeout',
  notifyRetries: 'notifyRetries',
} as const;

/** What this node's flags say explicitly and the cluster has otherwise. */
export function explicitDifferences(
  config: Config,
  stored: DecisionSettings,
): Partial<DecisionSettings> {
  const own = settingsFrom(config);
  const names = Object.keys(flagOf) as (keyof DecisionSettings)[];
  const differing = names.filter(
    (name) => config.explicit.has(flagOf[name]) && own[name] !== stored[name],
  );
  return Object.fromEntries(differing.map((name) => [name, own[name]]));
}
