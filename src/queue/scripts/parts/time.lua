-- Returns the time in ms by Redis' clock, with fractions, because the clocks of the calling machines may differ. It is
-- constant within one script.
local timeMs
local function nowMs()
  if timeMs then return timeMs end
  local time = redis.call('TIME')
  timeMs = time[1] * 1000 + time[2] / 1000
  return timeMs
end
