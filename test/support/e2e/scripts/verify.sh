#!/usr/bin/env bash
# verify.sh KEY VALUE, for tests; built-ins only, so that many runs are cheap.
#   HOST:PORT   UP when something accepts connections there, else DOWN
#   file:PATH   the first line of PATH, or of PATH.<node> when there is one
# anything else: no answer, which is EMPTY
set -u
case ${2-} in
  file:*)
    path=${2#file:}
    if [ -e "$path.$QUORATE_NODE" ]; then path=$path.$QUORATE_NODE; fi
    if read -r word <"$path"; then echo "$word"; fi
    ;;
  *:*)
    if { exec 3<>"/dev/tcp/${2%:*}/${2##*:}"; } 2>/dev/null; then echo UP; else echo DOWN; fi
    ;;
esac
