import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { median } from './statistics.ts';
import type { Cluster } from './system.ts';

const settleMs = 10_000;
const samples = 5;
const samplePauseMs = 1000;

/**
 * Megabytes (10^6 bytes) of the largest of three idle nodes: the proportional set size of the
 * daemon and all processes below it. Pages that several processes share count in parts.
 */
export async function measureMemory(cluster: Cluster): Promise<number> {
  await pause(settleMs);
  const found: number[] = [];
  for (let i = 0; i < samples; i++) {
    await pause(samplePauseMs);
    cluster.assertAlive();
    found.push(largestNodeMb(cluster));
  }
  return median(found);
}

export const largestNodeMb = (cluster: Cluster): number => Math.max(...cluster.pids.map(nodeMb));

/** Megabytes of this daemon and all processes below it; a process that is gone counts nothing. */
export const nodeMb = (pid: number): number => treeKb(pid) * 1.024e-3;

function treeKb(pid: number): number {
  let kb = pssKb(pid);
  for (const child of childrenOf(pid)) kb += treeKb(child);
  return kb;
}

function pssKb(pid: number): number {
  return Number(/^Pss:\s+(\d+) kB$/m.exec(textAt(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0);
}

function childrenOf(pid: number): number[] {
  const text = textAt(`/proc/${pid}/task/${pid}/children`).trim();
  return text === '' ? [] : text.split(' ').map(Number);
}

function textAt(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Linux counts processor time in units of 10 ms, whatever its clock does. */
const cpuTicksPerSecond = 100;

/** Processor time of the processes, all their threads, user and system. */
export function cpuSecondsOf(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The fields after the name, which may hold anything but ends with the last parenthesis.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks / cpuTicksPerSecond;
}
