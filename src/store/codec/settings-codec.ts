import type { DecisionSettings } from '../../shared/index.ts';
import type { ProtoReader, ProtoWriter } from '../../wire/index.ts';

type Mutable<T> = { -readonly [K in keyof T]?: T[K] };

/** Fields of quorate.command.Settings; what is absent in `settings` is absent in the message. */
export function writeSettings(writer: ProtoWriter, settings: Partial<DecisionSettings>): void {
  const { gossipQuorum, minZones, notifyOn } = settings;
  writer
    .presentUint(1, gossipQuorum === 'majority' ? 0 : gossipQuorum)
    .presentUint(2, minZones === 'auto' ? 0 : minZones)
    .presentUint(3, settings.eventIntervalMs)
    .presentUint(4, settings.eventHoldMs)
    .presentUint(5, notifyOn === undefined ? undefined : Number(notifyOn === 'all'))
    .presentUint(6, settings.notifyTimeoutMs)
    .presentUint(7, settings.notifyRetries);
}

export function readSettings(reader: ProtoReader): Partial<DecisionSettings> {
  const settings: Mutable<DecisionSettings> = {};
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    const value = reader.uint();
    if (field === 1) settings.gossipQuorum = value === 0 ? 'majority' : value;
    else if (field === 2) settings.minZones = value === 0 ? 'auto' : value;
    else if (field === 3) settings.eventIntervalMs = value;
    else if (field === 4) settings.eventHoldMs = value;
    else if (field === 5) settings.notifyOn = value === 0 ? 'leader' : 'all';
    else if (field === 6) settings.notifyTimeoutMs = value;
    else if (field === 7) settings.notifyRetries = value;
    else reader.fail(0);
  }
  return settings;
}
