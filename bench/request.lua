-- Load for wrk: picks at random among requests, and prints one line of JSON at the end.
-- Arguments after `--`: METHOD PATH BODY, three for each request; an empty BODY sends none.

local requests = {}
local count

function init(args)
  math.randomseed(os.time())
  for i = 1, #args, 3 do
    local body = args[i + 2] ~= '' and args[i + 2] or nil
    local headers = body and { ['Content-Type'] = 'application/json' } or {}
    requests[#requests + 1] = wrk.format(args[i], args[i + 1], headers, body)
  end
  count = #requests
end

function request()
  return count == 1 and requests[1] or requests[math.random(count)]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"seconds":%.6f,"p50":%.4f,"p99":%.4f,"max":%.4f,"refused":%d,"broken":%d}\n',
    summary.requests, summary.duration / 1e6,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
