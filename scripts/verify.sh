#!/usr/bin/env bash
# verify.sh KEY VALUE
#
# Says on the first line of standard output what VALUE looks like from this node:
#   UP     something answers there
#   DOWN   nothing does, or an HTTP server reports an error
#   EMPTY  cannot tell: VALUE is neither host:port nor an http(s) URL, or the fault is on our side
# Lines after the first are kept as detail. A VALUE too long for an argument is the word @stdin and comes
# on standard input. Needs bash and coreutils; URLs are asked with curl when there is one.
#
# VALUE may be set by anybody who can reach the API: it is matched against a pattern before use, always
# quoted, never evaluated.
set -u
export LC_ALL=C

limit=2 # seconds; keep it far below --verifyTimeout

say() { # WORD DETAIL
  printf '%s\n%s\n' "$1" "$2"
  exit 0
}

# within SECONDS COMMAND...: timeout(1), or the same with what bash has.
within() {
  if command -v timeout >/dev/null 2>&1; then
    timeout "$@"
    return
  fi
  local seconds=$1 command_pid watch_pid status
  shift
  "$@" &
  command_pid=$!
  (sleep "$seconds" && kill "$command_pid") >/dev/null 2>&1 &
  watch_pid=$!
  wait "$command_pid"
  status=$?
  kill "$watch_pid" 2>/dev/null
  if [ "$status" -eq 143 ]; then return 124; fi # ended by SIGTERM
  return "$status"
}

check_port() { # HOST PORT
  local message status
  message=$(within "$limit" "$BASH" -c 'exec 3<>"/dev/tcp/$1/$2"' connect "$1" "$2" 2>&1)
  status=$?
  if [ "$status" -eq 0 ]; then say UP "$1 port $2 accepts connections"; fi
  if [ "$status" -eq 124 ]; then say DOWN "$1 port $2 did not answer within $limit s"; fi
  case $message in
    *'Name or service'* | *'name resolution'* | *'nodename nor servname'* | *'No address'*)
      say EMPTY "the name $1 cannot be resolved here" ;;
    *'Network is unreachable'* | *'Cannot assign requested address'*)
      say EMPTY "$1 cannot be reached from here" ;;
    *'No such file or directory'*)
      say EMPTY 'this bash cannot open connections' ;;
    *'Connection refused'*)
      say DOWN "$1 port $2 refuses connections" ;;
    *)
      say DOWN "$1 port $2: ${message##*: }" ;;
  esac
}

check_url() { # URL
  local code status
  # -q comes first: no ~/.curlrc. --globoff: brackets and braces in VALUE mean themselves.
  code=$(curl -q --silent --globoff --proto '=http,https' --max-time "$limit" \
    --output /dev/null --write-out '%{http_code}' --url "$1" 2>/dev/null)
  status=$?
  case $status in
    0) if [ "$code" -lt 400 ]; then say UP "HTTP status $code"; else say DOWN "HTTP status $code"; fi ;;
    1 | 2 | 3) say EMPTY 'curl cannot read this URL' ;;
    5 | 6) say EMPTY 'the name in this URL cannot be resolved here' ;;
    28) say DOWN "no answer within $limit s" ;;
    *) say DOWN "curl ended with $status" ;;
  esac
}

name='[A-Za-z0-9_][A-Za-z0-9._-]*'
host_port="^($name|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5})$"
url='^https?://[^[:space:][:cntrl:]]+$'
url_host="^(https?)://($name|\[[0-9A-Fa-f:.]+\])(:([0-9]{1,5}))?([/?#].*)?$"

value=${2-}
if [ "$value" = '@stdin' ]; then value=$(head -c 4097 | tr -d '\0'); fi
if [ "${#value}" -gt 4096 ]; then say EMPTY 'cannot tell: VALUE is too long to be an address'; fi

if [[ $value =~ $host_port ]]; then
  host=${BASH_REMATCH[1]} port=$((10#${BASH_REMATCH[2]}))
elif [[ $value =~ $url ]]; then
  if command -v curl >/dev/null 2>&1; then check_url "$value"; fi
  if ! [[ $value =~ $url_host ]]; then say EMPTY 'cannot tell: this URL needs curl'; fi
  host=${BASH_REMATCH[2]} port=80
  if [ "${BASH_REMATCH[1]}" = https ]; then port=443; fi
  if [ -n "${BASH_REMATCH[4]}" ]; then port=$((10#${BASH_REMATCH[4]})); fi
else
  say EMPTY 'cannot tell: VALUE is neither host:port nor an http(s) URL'
fi
if [ "$port" -lt 1 ] || [ "$port" -gt 65535 ]; then say EMPTY "cannot tell: there is no port $port"; fi
host=${host#[}
check_port "${host%]}" "$port"
