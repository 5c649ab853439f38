#!/usr/bin/env bash
# notify.sh ROLE KEY VALUE STATUS        (--notifyArgs=plain: KEY VALUE STATUS)
#
# Is run when the nodes agreed that KEY went UP or DOWN, that nobody can tell any more (EMPTY) or that
# they can again (EMPTY_RECOVER). This sample appends one line to $NOTIFY_LOG (./notify.log); put your
# own effect into `act`. Exit 0: done. Exit 100: give up. Anything else: it is run again later.
#
# An event may be run more than once: when this script failed, and when the node died before it could
# note that the script was done. And a run on a node that was cut off for long may come after the run of
# a newer event. QUORATE_TOKEN grows with every event, as a string, so the highest token wins. The guard
# below compares tokens in a file, which is good on one host: the runs of one event may happen on
# different nodes, and a crash between effect and file still repeats the effect. The right place for the
# comparison is where the effect happens: let the load balancer, database or DNS record store the token
# and refuse one that is not higher.
set -u
export LC_ALL=C

if [ "$#" -eq 3 ]; then set -- - "$@"; fi
if [ "$#" -ne 4 ]; then
  echo "usage: notify.sh [ROLE] KEY VALUE STATUS" >&2
  exit 100
fi
role=$1 key=$2 value=$3 status=$4
token=${QUORATE_TOKEN-}
log=${NOTIFY_LOG:-./notify.log}
tokens=${NOTIFY_TOKENS:-$log.tokens}

# The effect. %q keeps a VALUE with line breaks or control characters on one line.
act() {
  printf '%s %s %q %q %s token=%s attempt=%s node=%s\n' \
    "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$role" "$key" "$value" "$status" \
    "${token:--}" "${QUORATE_ATTEMPT:--}" "${QUORATE_NODE:--}" >>"$log"
}

# A file name that any KEY can have.
hash_of() {
  if command -v sha256sum >/dev/null 2>&1; then
    printf '%s' "$1" | sha256sum
  else
    printf '%s' "$1" | shasum -a 256
  fi | cut -d ' ' -f 1
}

# A follower's run is for information: only the leader's run acts, so only that one is guarded.
if [ "$role" = follower ] || [ -z "$token" ]; then
  act
  exit
fi

mkdir -p "$tokens" || exit 1
name=$(hash_of "$key")
if [ -z "$name" ]; then exit 1; fi
seen_file=$tokens/$name
if command -v flock >/dev/null 2>&1; then
  # Two runs for one key: the second waits for the first, or is tried again later.
  exec 9>>"$seen_file.lock" || exit 1
  flock -w 10 9 || exit 1
fi
seen=$(cat "$seen_file" 2>/dev/null)
if [ -n "$seen" ] && ! [[ $token > $seen ]]; then
  echo "token $token is not above $seen, which was acted upon: nothing to do"
  exit 0
fi
act || exit 1
printf '%s\n' "$token" >"$seen_file.new" && mv "$seen_file.new" "$seen_file"
