-- The run of the server that answers: another one after each restart or failover, which may have lost the last that it was told.
-- A script, so that on a cluster the server is asked that has the records.
-- KEYS  1 where the run is kept that was reconciled
-- Answers the run of the server, `untold` where it does not say, and the one that is kept.
local info = redis.pcall('INFO', 'server')
local run = type(info) == 'string' and string.match(info, 'run_id:(%x+)')
return { run or 'untold', redis.call('GET', KEYS[1]) or '' }
