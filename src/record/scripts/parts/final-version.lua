-- Chooses the version of an upload's end, if a webhook reports it. The id of a webhook is `<upload id>.<version>`. It
-- must be the same if Redis loses everything and the stored upload is processed again, and another one for another
-- outcome. So this version is not a count of changes. It is made from the fencing token of the request that sent the
-- bytes, which the manifest contains too.
--
-- Versions are divided into lives. A request that sends an ended upload again begins the next life. Within a life:
--   from 1          changes before the end. A restored record begins at the seconds since 1970.
--   from FAILED     first failure. If an operator retries the upload, the versions count on from here.
--   from ENDED      every other end
-- Needs the part `use`.
local LIFE, FAILED, ENDED = 1e11, 1e10, 2e10
local RANKS = { completed = 0, cancelled = 1, discarded = 2, deleted = 3 }
local RANK_COUNT = 4

local function firstOfLife(version) return math.floor(version / LIFE) * LIFE end

-- Versions only grow, so an end that would have an earlier one gets the next.
local function versionOfEnd(outcome, version, fencingToken)
  local digest = tonumber(string.sub(redis.sha1hex(fencingToken or ''), 1, 8), 16)
  local rank = RANKS[outcome]
  local offset = rank and ENDED + RANK_COUNT * digest + rank or FAILED + digest
  return digits(math.max(firstOfLife(version) + offset, version + 1))
end

-- Returns the version of an ended upload that is sent again.
local function versionOfRestart(version)
  if version % LIFE < FAILED then return digits(version + 1) end
  return digits(firstOfLife(version) + LIFE + 1)
end
