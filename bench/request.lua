-- Load for wrk: picks at random among requests, and prints one line of JSON at the end.
-- Arguments after `--`: KEY (empty for none) and FIRST, then METHOD PATH BODY KEYED, four for each request; an empty BODY sends none. `{next}` in a path
-- or a body counts up from FIRST; with KEYED `yes` each request has an Idempotency-Key of its own.

local requests = {}
local count
local nextNumber
local run
local authorization

local function build(method, path, body, keyed)
  local headers = body and { ['Content-Type'] = 'application/json' } or {}
  headers['Authorization'] = authorization
  if keyed then headers['Idempotency-Key'] = run .. '-' .. nextNumber end
  return wrk.format(method, path, headers, body)
end

function init(args)
  math.randomseed(os.time())
  run = string.format('bench-%d-%d', os.time(), math.random(1000000000))
  authorization = args[1] ~= '' and 'Bearer ' .. args[1] or nil
  nextNumber = tonumber(args[2])
  for i = 3, #args, 4 do
    local body = args[i + 2] ~= '' and args[i + 2] or nil
    local keyed = args[i + 3] == 'yes'
    local counts = keyed or string.find(args[i + 1] .. (body or ''), '{next}', 1, true) ~= nil
    requests[#requests + 1] = counts and { args[i], args[i + 1], body, keyed } or build(args[i], args[i + 1], body, false)
  end
  count = #requests
end

function request()
  local chosen = count == 1 and requests[1] or requests[math.random(count)]
  if type(chosen) == 'string' then return chosen end
  local path = string.gsub(chosen[2], '{next}', nextNumber)
  local body = chosen[3] and string.gsub(chosen[3], '{next}', nextNumber)
  local built = build(chosen[1], path, body, chosen[4])
  nextNumber = nextNumber + 1
  return built
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"seconds":%.6f,"p50":%.4f,"p99":%.4f,"max":%.4f,"refused":%d,"broken":%d}\n',
    summary.requests, summary.duration / 1e6,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
