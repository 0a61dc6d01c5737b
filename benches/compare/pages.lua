-- wrk -s pages.lua URL -- PATHS START [BODY]
-- Requests the paths in the file PATHS, one per line, in order. It begins with number START and wraps
-- around, so no path is repeated before all others were requested. With the file BODY, it sends the
-- file by POST instead. Requests are built before the clock starts, so that the client costs little.

local requests, at = {}, 0

function init(args)
  local paths = {}
  for path in io.lines(args[1]) do paths[#paths + 1] = path end
  if args[3] then
    wrk.method = "POST"
    wrk.headers["Content-Type"] = "application/json"
    wrk.body = io.open(args[3]):read("*a")
  end
  wrk.path = paths[1]
  if #paths == 1 then return end -- wrk is fastest without a `request` function
  for i, path in ipairs(paths) do requests[i] = wrk.format(nil, path) end
  at = tonumber(args[2]) % #requests
  function request()
    at = at % #requests + 1
    return requests[at]
  end
end

function done(summary, latency)
  local e = summary.errors
  print(string.format("RESULT %d %d %d %d %d %d %d", summary.requests, summary.duration,
    summary.bytes, latency:percentile(50), latency:percentile(99), e.status,
    e.connect + e.read + e.write + e.timeout))
end
