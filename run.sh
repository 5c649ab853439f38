#!/usr/bin/env bash
# Quorate on this machine. Needs Node.js >= 20.19 and nothing else.
#   ./run.sh                  a three-node cluster in the foreground; Ctrl-C stops all of it
#   ./run.sh N [flags...]     node N (1 to 5) alone, for terminals of its own
#   ./run.sh --nodes=5        size of the local cluster
#   ./run.sh --clean          forget its data first
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"

if ! command -v node >/dev/null; then
  echo "Cannot start: found no node on the PATH, accepted is Node.js 20.19 or later" >&2
  exit 2
fi

# Installs and builds when needed, under a lock: several first starts at once are fine.
node "$root/scripts/setup.mjs"

export UV_THREADPOOL_SIZE="${UV_THREADPOOL_SIZE:-16}"
exec node "$root/dist/main.js" local "$@"
