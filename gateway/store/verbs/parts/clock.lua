-- The instant this verb runs at: ARGV[1], or the server's clock where that is 0.
local now = tonumber(ARGV[1])
if now == 0 then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
