-- Starts an attempt of one upload and returns its number, which fences all earlier ones. If an earlier attempt is still
-- processing, it ended without a report and counts as a death.
-- ARGV  7 stage, 8 limit of faults, 9 of deaths, 10 silence in ms, 11 kind of the permit, 12 id of the permit or empty
-- Returns the record.
--- @include "parts/record"
--- @include "parts/attempt"
return beginAttempt()
