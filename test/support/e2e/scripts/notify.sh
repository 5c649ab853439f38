#!/usr/bin/env bash
# notify.sh [ROLE] KEY VALUE STATUS, for tests: keeps one file for each run in $E2E_RUNS, fields
# separated by NUL. While .hold-KEY exists there it does not end; .exit-KEY holds its exit code.
set -u
IFS= read -r -d '' input || true
part="$E2E_RUNS/.part.$$.$QUORATE_NODE"
printf '%s\0' "$QUORATE_NODE" "$QUORATE_EVENT_ID" "$QUORATE_TOKEN" "$QUORATE_PREV_STATUS" \
  "$QUORATE_ATTEMPT" "$QUORATE_VALUE_REVISION" "$input" "$@" >"$part"
mv "$part" "$E2E_RUNS/$QUORATE_TOKEN.$QUORATE_NODE.$QUORATE_ATTEMPT.$$"
if [ "$#" -eq 4 ]; then key=$2; else key=$1; fi
while [ -e "$E2E_RUNS/.hold-$key" ]; do sleep 0.1; done
echo "ran for $key"
code=0
if [ -e "$E2E_RUNS/.exit-$key" ]; then read -r code <"$E2E_RUNS/.exit-$key"; fi
exit "$code"
