-- As `begin`, for the upload that a permit allows: the upload that the permit has begun before if its attempt has not
-- ended, otherwise the next in the order of the kind.
-- KEYS and ARGV: as in the parts `pick` and `attempt`.
-- Returns the record, or `{ 'none', ms }` if no upload waits. `ms` is the time until the first pause ends, or empty.
--- @include "parts/pick"
if not picked then
  return { 'none', pausedUntil and string.format('%d', math.ceil(math.max(0, pausedUntil - nowMs()))) or '' }
end
--- @include "parts/record"
--- @include "parts/attempt"
return beginAttempt()
