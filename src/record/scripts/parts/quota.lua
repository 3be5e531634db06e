-- Decides whether a tenant may have one more upload. The decision and the count are one atomic step.
--- @include "use"

-- The order in which reached limits are reported.
local LIMIT_NAMES = { 'createPerMinute', 'receiving', 'waiting', 'uploadsPerDay', 'bytesPerDay', 'storedBytes' }

local function firstExceeded(limits, wanted)
  for _, name in ipairs(LIMIT_NAMES) do
    if limits[name] and wanted[name] and wanted[name] > limits[name] then return name end
  end
end

-- Returns the limit that an upload would exceed if it begins now, or nil. An upload that is being received counts as
-- one upload of the day, and its announced bytes as stored. `own` is the use that the upload adds already.
local function limitOfOpening(tenant, limits, totalBytes, own, isNew)
  local use = readUse(tenant)
  -- An empty file is rejected, so a file of unknown size has at least one byte.
  local bytes = use.reserved - own.reserved + (tonumber(totalBytes) or 1)
  return firstExceeded(limits, {
    createPerMinute = isNew and use.created + 1 or nil,
    receiving = use.receiving - own.receiving + 1,
    waiting = use.waiting + 1,
    uploadsPerDay = use.uploads + use.receiving - own.receiving + 1,
    bytesPerDay = use.bytes + bytes,
    storedBytes = use.stored - own.stored + bytes,
  })
end

-- Returns the limit that a receiving upload would exceed with this size, or nil.
local function limitOfSize(tenant, limits, totalBytes, own)
  local use = readUse(tenant)
  local bytes = use.reserved - own.reserved + totalBytes
  return firstExceeded(limits, { bytesPerDay = use.bytes + bytes, storedBytes = use.stored + bytes })
end

-- Returns the limit that an upload would exceed if it is queued now, or nil.
local function limitOfQueuing(tenant, limits, bytes)
  local use = readUse(tenant)
  return firstExceeded(limits, {
    waiting = use.waiting + 1,
    uploadsPerDay = use.uploads + 1,
    bytesPerDay = use.bytes + bytes,
    storedBytes = use.stored + bytes,
  })
end

-- Returns the ms after which the limit admits uploads again, or nil if that is unknown.
local function limitEndsInMs(name)
  local period = name == 'createPerMinute' and MINUTE_MS
    or (name == 'uploadsPerDay' or name == 'bytesPerDay') and DAY_MS
  return period and digits(math.ceil(period - nowMs() % period)) or nil
end
