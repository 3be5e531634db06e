-- KEYS  1 prefix of the keys of the order
-- ARGV  1 prefix of record keys, with the same hash tag, 2 … ids
-- Returns for each upload its 0-based position in the order, or false if it does not wait.
local fairPrefix = KEYS[1]
--- @include "parts/order"
local positions = {}
for index = 2, #ARGV do
  positions[index - 1] = positionOf(ARGV[index], placedBy(ARGV[1] .. ARGV[index])) or false
end
return positions
