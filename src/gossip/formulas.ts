import type { GossipSettings } from './settings.ts';

/** Lifeguard, "Local Health Aware Suspicion": bounds of a suspicion among n members. */
export interface SuspicionBounds {
  readonly suspicionMsMin: number;
  readonly suspicionMsMax: number;
  /** Confirmations that bring it down to the minimum; 0: the minimum at once. */
  readonly confirmationsMax: number;
}

/** `memberCount` counts this node and all that are alive or suspected. */
export function suspicionBounds(settings: GossipSettings, memberCount: number): SuspicionBounds {
  const scale = Math.max(1, Math.log10(Math.max(1, memberCount)));
  const suspicionMsMin = settings.suspicionMult * scale * settings.probeIntervalMs;
  const wanted = settings.suspicionMult - 2;
  return {
    suspicionMsMin,
    suspicionMsMax: suspicionMsMin * settings.suspicionMaxTimeoutMult,
    confirmationsMax: memberCount - 2 < wanted ? 0 : wanted,
  };
}

/** How long a suspicion lasts that `confirmations` others share. */
export function suspicionTimeoutMs(bounds: SuspicionBounds, confirmations: number): number {
  const { suspicionMsMin, suspicionMsMax, confirmationsMax } = bounds;
  if (confirmationsMax === 0) return suspicionMsMin;
  const progress = Math.log(confirmations + 1) / Math.log(confirmationsMax + 1);
  const timeoutMs = suspicionMsMax - (suspicionMsMax - suspicionMsMin) * progress;
  return Math.max(suspicionMsMin, Math.floor(timeoutMs));
}

/** How often each node sends an item, so that it reaches all with high probability. */
export function transmitLimit(retransmitMult: number, memberCount: number): number {
  return retransmitMult * Math.ceil(Math.log10(memberCount + 1));
}

/** Above 32 members push/pull becomes rarer, so that its traffic does not grow with n squared. */
export function pushPullIntervalMs(intervalMs: number, memberCount: number): number {
  if (memberCount <= 32) return intervalMs;
  return intervalMs * (Math.ceil(Math.log2(memberCount) - 5) + 1);
}
