import type { GossipEffect } from '../../src/gossip/index.ts';
import { asNodeId } from '../../src/shared/index.ts';
import type { NodeId } from '../../src/shared/index.ts';

type EffectOf<K extends GossipEffect['kind']> = Extract<GossipEffect, { kind: K }>;

/** What a driver would show of the health results. */
export class Board {
  readonly verdicts = new Map<string, EffectOf<'verdict'>>();
  readonly reports = new Map<NodeId, EffectOf<'report'>>();
  /** All that were delivered, to look at their order. */
  readonly allReports: EffectOf<'report'>[] = [];

  apply(effect: GossipEffect): void {
    if (effect.kind === 'verdict') this.verdicts.set(`${effect.owner}/${effect.keyId}`, effect);
    else if (effect.kind === 'verdictGone') this.verdicts.delete(`${effect.owner}/${effect.keyId}`);
    else if (effect.kind === 'report') {
      this.reports.set(effect.owner, effect);
      this.allReports.push(effect);
    } else if (effect.kind === 'ownerReset') this.#reset(effect.owner);
  }

  verdictOf(owner: string, keyId: number): string | undefined {
    return this.verdicts.get(`${owner}/${keyId}`)?.verdict;
  }

  reportOf(owner: string): EffectOf<'report'> | undefined {
    return this.reports.get(asNodeId(owner));
  }

  #reset(owner: NodeId): void {
    this.reports.delete(owner);
    for (const [key, effect] of this.verdicts)
      if (effect.owner === owner) this.verdicts.delete(key);
  }
}
