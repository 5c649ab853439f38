#!/usr/bin/env bash
# notify.sh [ROLE] KEY VALUE STATUS, for tests: keeps one file for each run in $E2E_RUNS, fields
# separated by NUL. While $E2E_RUNS/.hold exists it does not end; $E2E_RUNS/.exit holds its exit code.
set -u
IFS= read -r -d '' input || true
part="$E2E_RUNS/.part.$$.$QUORATE_NODE"
printf '%s\0' "$QUORATE_NODE" "$QUORATE_EVENT_ID" "$QUORATE_TOKEN" "$QUORATE_PREV_STATUS" \
  "$QUORATE_ATTEMPT" "$QUORATE_VALUE_REVISION" "$input" "$@" >"$part"
mv "$part" "$E2E_RUNS/$QUORATE_TOKEN.$QUORATE_NODE.$QUORATE_ATTEMPT.$$"
while [ -e "$E2E_RUNS/.hold" ]; do sleep 0.1; done
code=0
if [ -e "$E2E_RUNS/.exit" ]; then read -r code <"$E2E_RUNS/.exit"; fi
exit "$code"
