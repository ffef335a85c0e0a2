/** The Lua scripts that write. The keys and the shared beginning: `redis-script.ts`. */
import { script } from './redis-script.ts';

export const redisWriteScripts = {
  /** ARGV: epoch, now, stream length, then each write: its tag and its fields. Returns the new position. */
  apply: script(`
local _, seq = history(ARGV[1])
local now, length = ARGV[2], ARGV[3]
local at = 4
local function take(count)
  local from = at
  at = at + count
  return unpack(ARGV, from, from + count - 1)
end
-- The mark is "id:deletedAt" of a decision that has another id than its position, or was deleted.
local function tell(kind, body, mark)
  local place = text(seq) .. '-0'
  if mark then
    redis.call('XADD', k_changes, 'MAXLEN', '~', length, place, 'kind', kind, 'body', body, 'mark', mark)
  else
    redis.call('XADD', k_changes, 'MAXLEN', '~', length, place, 'kind', kind, 'body', body)
  end
end
local function putDecision(tag)
  local uuid, body, till, created, own, alert = take(6)
  seq = seq + 1
  local deleted, place, id = '', text(seq), text(seq)
  local before = redis.call('HGET', k_decisions, uuid)
  if tag == 'deleted' then deleted = now end
  if before then
    local deletedBefore
    deletedBefore, _, id = parsed(before)
    if tag == 'deleted' and deletedBefore ~= '' then deleted = deletedBefore end
    place = place .. ':' .. id
    forgetPlace(before)
    redis.call('HSET', k_moved, id, uuid)
  end
  if tag == 'deleted' then
    if tonumber(deleted) < tonumber(till) then till = deleted end
  elseif alert ~= '' then
    redis.call('ZADD', k_alertUse, 'GT', till, alert)
  end
  redis.call('HSET', k_decisions, uuid, deleted .. '|' .. place .. '|' .. body)
  redis.call('ZADD', k_order, text(seq), uuid)
  redis.call('ZADD', k_ends, till, uuid)
  if alert ~= '' then redis.call('ZADD', k_byAlert, 0, byAlertMember(alert, seq)) end
  if own == '1' then
    redis.call('ZADD', k_own, created, uuid)
  elseif before then
    redis.call('ZREM', k_own, uuid)
  end
  if before or deleted ~= '' then tell(tag, body, id .. ':' .. deleted) else tell(tag, body) end
end
local function touchList(name, make)
  local row = redis.call('HGET', k_allowlists, name)
  if row then
    row = string.match(row, '^%-?%d+|') .. now .. '|' .. string.match(row, '^%-?%d+|%-?%d+|(.*)$')
  elseif make then
    row = now .. '|' .. now .. '|'
  end
  if row then redis.call('HSET', k_allowlists, name, row) end
end
local function dropEntry(member)
  redis.call('HDEL', k_allowlist, member)
  redis.call('ZREM', k_allowlistOrder, member)
  redis.call('ZREM', k_allowlistEnds, member)
end
local function entryDeleted(member)
  seq = seq + 1
  dropEntry(member)
  tell('entryDeleted', member)
end
local documents = {bouncer = k_bouncers, machine = k_machines}
local writers = {}
function writers.entry()
  local member, list, value, body, till = take(5)
  if list == 'default' and isPlainEntry(value) then dropEntry(value) end
  seq = seq + 1
  redis.call('HSET', k_allowlist, member, body)
  redis.call('ZADD', k_allowlistOrder, text(seq), member)
  if till == '' then redis.call('ZREM', k_allowlistEnds, member) else redis.call('ZADD', k_allowlistEnds, till, member) end
  touchList(list, true)
  tell('entry', body)
end
function writers.entryDeleted()
  local member, list, value = take(3)
  if list == 'default' and isPlainEntry(value) then dropEntry(value) end
  entryDeleted(member)
  touchList(list, false)
end
function writers.list()
  local name, row = take(2)
  redis.call('HSET', k_allowlists, name, row)
end
function writers.listRemoved()
  local name, beginning = take(2)
  for _, member in ipairs(redis.call('ZRANGE', k_allowlistOrder, 0, -1)) do
    local plain = name == 'default' and isPlainEntry(member)
    if plain or string.sub(member, 1, #beginning) == beginning then entryDeleted(member) end
  end
  redis.call('HDEL', k_allowlists, name)
end
function writers.alert()
  local uuid, body, created = take(3)
  numberAlerts()
  redis.call('HSET', k_alerts, uuid, body)
  redis.call('ZADD', k_alertOrder, created, uuid)
  if redis.call('ZSCORE', k_alertIds, uuid) then return end
  redis.call('ZADD', k_alertIds, redis.call('HINCRBY', k_history, 'alerts', 1), uuid)
end
function writers.alertDeleted()
  local uuid = take(1)
  redis.call('HDEL', k_alerts, uuid)
  redis.call('ZREM', k_alertOrder, uuid)
  redis.call('ZREM', k_alertIds, uuid)
end
function writers.refusal()
  local body, time = take(2)
  local id = text(redis.call('HINCRBY', k_history, 'refusals', 1))
  redis.call('HSET', k_refusals, id, body)
  redis.call('ZADD', k_refusalOrder, time, id)
end
function writers.usage()
  local body, time = take(2)
  local id = padded(redis.call('HINCRBY', k_history, 'usage', 1))
  redis.call('HSET', k_usage, id, body)
  redis.call('ZADD', k_usageOrder, time, id)
end
function writers.document()
  local kind, name, body = take(3)
  redis.call('HSET', documents[kind], name, body)
end
function writers.documentDeleted()
  local kind, name = take(2)
  redis.call('HDEL', documents[kind], name)
end
function writers.seen()
  local kind, name, changes = take(3)
  local body = redis.call('HGET', documents[kind], name)
  if not body then return end
  local document = cjson.decode(body)
  if type(document.createdAt) == 'number' then
    for field, value in pairs(document) do document[field] = cjson.encode(value) end
  end
  for field, value in pairs(cjson.decode(changes)) do document[field] = value end
  redis.call('HSET', documents[kind], name, cjson.encode(document))
end
while at <= #ARGV do
  local tag = take(1)
  if tag == 'added' or tag == 'deleted' then putDecision(tag) else writers[tag]() end
end
redis.call('HSET', k_history, 'seq', text(seq))
return text(seq)`),

  /**
   * ARGV: epoch, rows. Enters decisions of gateways that did not know `byAlert` into it, the last written first. Returns 0 when
   * there are no more of them.
   */
  indexAlerts: script(`
history(ARGV[1])
local left = tonumber(redis.call('HGET', k_history, 'unindexed'))
if left <= 0 then return 0 end
local members = redis.call('ZREVRANGEBYSCORE', k_order, text(left), '-inf', 'WITHSCORES', 'LIMIT', 0, ARGV[2])
for i = 1, #members, 2 do
  local row = redis.call('HGET', k_decisions, members[i])
  local alert = row and cjson.decode(select(4, parsed(row))).alertUuid
  if type(alert) == 'string' and alert ~= '' then
    redis.call('ZADD', k_byAlert, 0, byAlertMember(alert, members[i + 1]))
  end
end
left = #members < 2 * tonumber(ARGV[2]) and 0 or tonumber(members[#members]) - 1
redis.call('HSET', k_history, 'unindexed', text(left))
return left > 0 and 1 or 0`),

  /**
   * ARGV: now, rows of a slice, then maximal age and number of ended decisions, alerts, refusals and usage reports, and how
   * many alerts to skip because they are in use. Returns rows removed and alerts skipped; the caller goes on until a slice is
   * not full.
   */
  forget: script(`
local now, rows = tonumber(ARGV[1]), tonumber(ARGV[2])
local removed = 0
local function due(order, maxAge, maxRows, size)
  local names = redis.call('ZRANGEBYSCORE', order, '-inf', '(' .. text(now - maxAge), 'LIMIT', 0, rows)
  local surplus = math.min(rows, size - maxRows)
  if surplus > #names then names = redis.call('ZRANGE', order, 0, surplus - 1) end
  return names
end
local ended = redis.call('ZCOUNT', k_ends, '-inf', ARGV[1])
for _, uuid in ipairs(due(k_ends, tonumber(ARGV[3]), tonumber(ARGV[4]), ended)) do
  local row = redis.call('HGET', k_decisions, uuid)
  if row then forgetPlace(row) end
  redis.call('HDEL', k_decisions, uuid)
  redis.call('ZREM', k_order, uuid)
  redis.call('ZREM', k_ends, uuid)
  redis.call('ZREM', k_own, uuid)
  removed = removed + 1
end
local function forgetByTime(bodies, order, maxAge, maxRows)
  for _, id in ipairs(due(order, tonumber(maxAge), tonumber(maxRows), redis.call('ZCARD', order))) do
    redis.call('HDEL', bodies, id)
    redis.call('ZREM', order, id)
    removed = removed + 1
  end
end
forgetByTime(k_refusals, k_refusalOrder, ARGV[7], ARGV[8])
forgetByTime(k_usage, k_usageOrder, ARGV[9], ARGV[10])
for _, member in ipairs(redis.call('ZRANGEBYSCORE', k_allowlistEnds, '-inf', ARGV[1], 'LIMIT', 0, rows)) do
  redis.call('HDEL', k_allowlist, member)
  redis.call('ZREM', k_allowlistOrder, member)
  redis.call('ZREM', k_allowlistEnds, member)
  removed = removed + 1
end
for _, uuid in ipairs(redis.call('ZRANGEBYSCORE', k_alertUse, '-inf', ARGV[1], 'LIMIT', 0, rows)) do
  redis.call('ZREM', k_alertUse, uuid)
  removed = removed + 1
end
local skip, skipped = tonumber(ARGV[11]), 0
local oldest = redis.call('ZRANGE', k_alertOrder, skip, skip + rows - 1, 'WITHSCORES')
local surplus = redis.call('ZCARD', k_alertOrder) - tonumber(ARGV[6]) - skip
for i = 1, #oldest, 2 do
  local isDue = surplus > 0 or tonumber(oldest[i + 1]) < now - tonumber(ARGV[5])
  if not isDue then break end
  surplus = surplus - 1
  if redis.call('ZSCORE', k_alertUse, oldest[i]) then
    skipped = skipped + 1
  else
    redis.call('HDEL', k_alerts, oldest[i])
    redis.call('ZREM', k_alertOrder, oldest[i])
    redis.call('ZREM', k_alertIds, oldest[i])
    removed = removed + 1
  end
end
return {removed, skipped}`),
} as const;
