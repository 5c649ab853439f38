/** One flag of `quorate serve`: also QUORATE_<UPPER_SNAKE> and a key of the YAML file. */
export interface Flag {
  readonly name: string;
  /** Shown in --help; `null`: a switch without a value. */
  readonly value: string | null;
  readonly defaultText: string;
  readonly help: string;
}

const flag = (name: string, value: string | null, defaultText: string, help: string): Flag => ({
  name,
  value,
  defaultText,
  help,
});

/** Every flag, in the order that --help shows. Types and ranges are in schema.ts. */
export const flags: readonly Flag[] = [
  flag('node', 'ID', 'node1', 'node id, unique in the cluster'),
  flag('dataDir', 'DIR', './<node>', 'data directory, locked while in use'),
  flag('http', 'HOST:PORT', '127.0.0.1:6000', 'HTTP listen address'),
  flag('raft', 'HOST:PORT', '127.0.0.1:7000', 'Raft listen address (gRPC over TCP)'),
  flag('gossip', 'HOST:PORT', '127.0.0.1:8000', 'gossip listen address (UDP and TCP)'),
  flag('advertiseHttp', 'HOST:PORT', '= http', 'HTTP address that others dial'),
  flag('advertiseRaft', 'HOST:PORT', '= raft', 'Raft address that others dial'),
  flag('advertiseGossip', 'HOST:PORT', '= gossip', 'gossip address that others dial'),
  flag(
    'bootstrap',
    null,
    'false',
    'with empty data: create a cluster, unless an address below has one',
  ),
  flag('join', 'ADDR,ADDR', '', 'HTTP addresses of members; retried for ever'),
  flag('gossipJoin', 'ADDR,ADDR', '', 'gossip addresses of members; retried for ever'),
  flag('observer', null, 'false', 'never becomes a voter; watches and votes on health'),
  flag('gossipQuorum', 'N', 'majority', 'members that must agree; never below their majority'),
  flag('zone', 'NAME', '', "this node's zone, such as the data centre"),
  flag('minZones', 'N', 'auto', 'distinct zones among those who agree; auto: 2 once two are named'),
  flag('verificationScript', 'CMD', '', 'says UP or DOWN for KEY VALUE; none: observes nothing'),
  flag(
    'notificationScript',
    'CMD',
    '',
    'runs on events as ROLE KEY VALUE STATUS; none: runs nothing',
  ),
  flag('notifyOn', 'WHERE', 'leader', 'leader, or all: followers run it too, with their own role'),
  flag('notifyArgs', 'STYLE', 'role', 'role, or plain: KEY VALUE STATUS without ROLE'),
  flag('verifyInterval', 'TIME', '10', 'seconds between two runs for a key'),
  flag(
    'verifyTimeout',
    'TIME',
    '60',
    'seconds that one run may take; default at most ten intervals',
  ),
  flag('verifySamples', 'N', '3', 'samples that must be unanimous'),
  flag('verifyWindow', 'N', '5', 'samples kept'),
  flag('verifyConcurrency', 'N', '16', 'scripts running at once'),
  flag(
    'eventInterval',
    'TIME',
    '60',
    'seconds after a notification ended before the next of its kind',
  ),
  flag('eventHold', 'TIME', '30', 'seconds that an agreement must last before it is an event'),
  flag('notifyTimeout', 'TIME', '60', 'seconds that a notification may take'),
  flag('notifyRetries', 'N', '10', 'attempts for one notification'),
  flag('gossipKey', 'FILE', '', 'file with base64 keys, one a line; the first one encrypts'),
  flag(
    'diskStallTimeout',
    'TIME',
    '2',
    'a leader whose disk write takes longer gives way to another',
  ),
  flag('leaseReads', null, 'false', 'the leader reads without asking others; on all nodes or none'),
  flag('profile', 'NAME', 'lan', 'timer preset: lan, wan or local'),
  flag('logLevel', 'LEVEL', 'info', 'debug, info, warn or error'),
  flag('logFormat', 'FORMAT', 'pretty on a terminal, else json', 'pretty or json'),
];

export const kebab = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

export const environmentName = (name: string): string =>
  `QUORATE_${kebab(name).replaceAll('-', '_').toUpperCase()}`;
