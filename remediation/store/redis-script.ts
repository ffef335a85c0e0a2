/**
 * The keys of the Redis store, and what all of its Lua scripts begin with. One atomic script per operation, so that several
 * gateways never see half of a write.
 *
 * Keys, all in one hash slot by their `{prefix}` tag:
 * - `history`: hash of `epoch` (names this history), `seq` (position of the last write), `refusals`, `alerts` and `usage` (last
 *   identifiers) and `unindexed` (positions up to it may be missing from `byAlert`)
 * - `decisions`: hash of uuid → `deletedAt|place|JSON`, where the place is the position, and `:` and the id when that is
 *   another: after the decision was written again; `moved`: hash of such ids → uuid
 * - `order`: uuids by position; `ends`: uuids by the time at which they end or were deleted; `own`: uuids of own decisions by
 *   creation; `alertUse`: alerts by the latest end of a decision; `byAlert`: alert, NUL and position of 16 digits, by name
 * - `changes`: stream whose entry `N-0` is the write at position N, so that a gap shows exactly what was trimmed
 * - `allowlist`: hash of `["list","value"]` → JSON; `allowlistOrder` by position; `allowlistEnds` by expiry; `allowlists`: hash
 *   of name → `createdAt|updatedAt|description`
 * - `alerts`, `alertOrder`, `refusals`, `refusalOrder`, `usage`, `usageOrder`: JSON, by creation; `alertIds`: uuids by id
 * - `bouncers`, `machines`: hash of name → JSON whose every value is JSON text, so that scripts can change one
 *
 * Rows of gateways before version 3 of the embedded store's file are read too: allowlist entries by value alone, which are on
 * the list `default`; alerts without an id, which get one when they are next looked at; bouncers as plain JSON.
 */
import { createHash } from 'node:crypto';

/** The keys, in the order in which every script gets them. */
const keyNames = [
  'history',
  'decisions',
  'order',
  'ends',
  'own',
  'alertUse',
  'changes',
  'allowlist',
  'allowlistOrder',
  'allowlistEnds',
  'alerts',
  'alertOrder',
  'refusals',
  'refusalOrder',
  'bouncers',
  'moved',
  'byAlert',
  'allowlists',
  'alertIds',
  'machines',
  'usage',
  'usageOrder',
] as const;

export interface RedisScript {
  readonly lua: string;
  /** SHA-1, what EVALSHA asks for. */
  readonly sha: string;
}

export function storeKeys(prefix: string): string[] {
  return keyNames.map((name) => `{${prefix}}:store:${name}`);
}

/** The stream's key: followers wait on it. */
export function changesKey(prefix: string): string {
  return `{${prefix}}:store:changes`;
}

/**
 * `history` takes an epoch to use when there is none yet. A history that was lost while rows stayed (an evicted key) goes on
 * above the rows' positions.
 */
const prelude = `
local ${keyNames.map((name) => `k_${name}`).join(', ')} = unpack(KEYS)
local zero = string.char(0)
local function text(number) return string.format('%.0f', number) end
local function padded(number) return string.format('%016.0f', number) end
local function top(order) return redis.call('ZREVRANGE', order, 0, 0, 'WITHSCORES')[2] or '0' end
local function history(fresh)
  local known = redis.call('HMGET', k_history, 'epoch', 'seq', 'unindexed')
  if known[1] then
    if not known[3] then redis.call('HSET', k_history, 'unindexed', known[2]) end
    return known[1], tonumber(known[2])
  end
  local seq = math.max(tonumber(top(k_order)), tonumber(top(k_allowlistOrder)))
  redis.call('DEL', k_changes)
  redis.call('HSET', k_history, 'epoch', fresh, 'seq', text(seq), 'unindexed', text(seq), 'alerts', top(k_alertIds))
  return fresh, seq
end
local function floorOf(seq)
  local first = redis.call('XRANGE', k_changes, '-', '+', 'COUNT', 1)[1]
  if not first then return seq end
  return tonumber(string.match(first[1], '^(%d+)')) - 1
end
-- deletedAt ('' for none), position, id, JSON
local function parsed(row)
  local deleted, place, body = string.match(row, '^(%d*)|([%d:]+)|(.*)$')
  local seq = string.match(place, '^%d+')
  return deleted, seq, string.match(place, ':(%d+)') or seq, body
end
local function byAlertMember(alert, seq) return alert .. zero .. padded(tonumber(seq)) end
-- What is kept about a row besides the row itself, its place in the order and its end.
local function forgetPlace(row)
  local _, seq, id, body = parsed(row)
  local alert = cjson.decode(body).alertUuid
  if type(alert) == 'string' and alert ~= '' then redis.call('ZREM', k_byAlert, byAlertMember(alert, seq)) end
  if id ~= seq then redis.call('HDEL', k_moved, id) end
end
-- Gives an id to every alert that has none.
local function numberAlerts()
  if redis.call('ZCARD', k_alertIds) == redis.call('ZCARD', k_alertOrder) then return end
  for _, uuid in ipairs(redis.call('ZRANGE', k_alertOrder, 0, -1)) do
    if not redis.call('ZSCORE', k_alertIds, uuid) then
      redis.call('ZADD', k_alertIds, redis.call('HINCRBY', k_history, 'alerts', 1), uuid)
    end
  end
  for _, uuid in ipairs(redis.call('ZRANGE', k_alertIds, 0, -1)) do
    if not redis.call('ZSCORE', k_alertOrder, uuid) then redis.call('ZREM', k_alertIds, uuid) end
  end
end
-- Entries of the list 'default' were once kept by value alone.
local function isPlainEntry(member) return string.sub(member, 1, 2) ~= '["' end
`;

export function script(body: string): RedisScript {
  const lua = prelude + body;
  return { lua, sha: createHash('sha1').update(lua).digest('hex') };
}
