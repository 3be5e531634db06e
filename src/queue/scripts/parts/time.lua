-- Returns the time in ms by Redis' clock, with fractions, because the clocks of the calling machines may differ. It is
-- constant within one script.
local function nowMs()
  local time = redis.call('TIME')
  return time[1] * 1000 + time[2] / 1000
end
