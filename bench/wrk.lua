-- wrk -s wrk.lua URL FILE: sends the requests of FILE (method, path and body in a line each) in
-- turn and prints one line of JSON.
local requests = {}
local at = 0

function init(args)
  local file = assert(io.open(args[1], "r"))
  while true do
    local method = file:read("*l")
    if method == nil then break end
    local path, body = file:read("*l"), file:read("*l")
    requests[#requests + 1] = wrk.format(method, path, nil, body ~= "" and body or nil)
  end
  file:close()
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function done(summary, latency)
  local errors = summary.errors
  local failures = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  local line = '{"perSecond":%.1f,"p50Ms":%.3f,"p99Ms":%.3f,"failures":%d}\n'
  io.write(line:format(
    summary.requests / summary.duration * 1e6,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000, failures))
end
