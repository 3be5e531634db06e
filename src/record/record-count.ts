import type { QueueKeys } from '../queue/contract.ts';
import { TIME_FUNCTIONS } from '../queue/waiting-script.ts';

/** How many records that Redis has dropped are taken out of the count in one step; more of them wait for the next. */
const TRIMMED_AT_ONCE = 1_000;

/** An open upload that nobody touches for so long is counted no longer, until it changes. */
const OPEN_MS = 30 * 24 * 3_600_000;

/**
 * How many records there are, in all and by owner. A sorted set has a member `<id> <owner>` for each record, scored by
 * when Redis drops its key, so the count follows the keys by itself. The hash of counts by owner changes only together
 * with the set. To be put behind `TIME_FUNCTIONS`, in a script that has the locals `recordsKey` and `ownersKey`.
 */
export const COUNT_FUNCTIONS = `
local function countOwner(owner, change)
  if owner == '' then return end
  if redis.call('HINCRBY', ownersKey, owner, change) <= 0 then redis.call('HDEL', ownersKey, owner) end
end

local function countUntil(id, owner, untilMs)
  if redis.call('ZADD', recordsKey, string.format('%d', untilMs), id .. ' ' .. owner) == 1 then countOwner(owner, 1) end
end

local function countWhileOpen(id, owner) countUntil(id, owner, nowMs() + ${OPEN_MS}) end

local function uncount(id, owner)
  if redis.call('ZREM', recordsKey, id .. ' ' .. owner) == 1 then countOwner(owner, -1) end
end

local function uncountDropped()
  local dropped = redis.call('ZRANGEBYSCORE', recordsKey, '-inf', string.format('%d', nowMs()), 'LIMIT', 0, ${TRIMMED_AT_ONCE})
  for _, member in ipairs(dropped) do
    local id, owner = string.match(member, '^(%S*) (.*)$')
    uncount(id, owner)
  end
end
`;

/**
 * KEYS  1 records, 2 their count by owner
 * ARGV  1 owner, empty for none
 *
 * Returns how many records there are, how many of them are the owner's, and in how many ms Redis drops the next.
 */
const COUNT_SCRIPT = `
local recordsKey, ownersKey = KEYS[1], KEYS[2]
${TIME_FUNCTIONS}${COUNT_FUNCTIONS}
uncountDropped()
local ofOwner = ARGV[1] == '' and 0 or tonumber(redis.call('HGET', ownersKey, ARGV[1]) or '0')
local first = redis.call('ZRANGE', recordsKey, 0, 0, 'WITHSCORES')[2]
return { redis.call('ZCARD', recordsKey), ofOwner, math.floor(first and math.max(0, first - nowMs()) or 0) }
`;

/** How many records there may be. */
export interface RecordBounds {
  most: number;
  /** Who makes the record; undefined: no owner's share is limited. */
  owner?: string;
  mostOfOwner: number;
}

/** The records of an installation at one moment. */
export interface RecordFigures {
  live: number;
  ofOwner: number;
  /** Until Redis drops the next record. */
  nextDropMs: number;
}

/** The one command that it takes. */
interface ScriptRunner {
  runScript(script: string, keys: readonly string[], args: readonly string[]): Promise<unknown>;
}

/** Counts the records. Rejects with `service_unavailable` (503) if Redis cannot be asked. */
export async function countRecords(store: ScriptRunner, keys: QueueKeys, owner?: string): Promise<RecordFigures> {
  const reply = await store.runScript(COUNT_SCRIPT, [keys.records, keys.recordOwners], [owner ?? '']);
  const [live = 0, ofOwner = 0, nextDropMs = 0] = Array.isArray(reply) ? reply.map(Number) : [];
  return { live, ofOwner, nextDropMs };
}
