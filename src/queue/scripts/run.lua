-- Reads the run id of the server. It changes with each restart or failover, which may have lost the last changes. It is
-- a script so that in a cluster the server with the records answers.
-- KEYS  1 the run id of the last reconciliation
-- Returns the run id of the server, or `unknown` if it does not report one, the stored one, and the time in ms.
--- @include "parts/time"
local info = redis.pcall('INFO', 'server')
local run = type(info) == 'string' and string.match(info, 'run_id:(%x+)')
return { run or 'unknown', redis.call('GET', KEYS[1]) or '', string.format('%d', nowMs()) }
