-- The time in milliseconds by the clock of Redis, with fractions: the clocks of the machines that call may differ.
-- It is the same within one script.
local function nowMs()
  local time = redis.call('TIME')
  return time[1] * 1000 + time[2] / 1000
end
