/**
 * The Lua scripts of the Redis store: one atomic script per operation, so that several gateways never see half of a write.
 *
 * Keys, all in one hash slot by their `{prefix}` tag:
 * - `history`: hash of `epoch` (names this history), `seq` (position of the last write) and `refusals` (last identifier)
 * - `decisions`: hash of uuid → `deletedAt|seq|JSON`; `order`: uuids by position; `ends`: uuids by the time at which they
 *   end or were deleted; `own`: uuids of own decisions by creation; `alertUse`: alerts by the latest end of a decision
 * - `changes`: stream whose entry `N-0` is the write at position N, so that a gap shows exactly what was trimmed
 * - `allowlist`: hash of value → JSON; `allowlistOrder` by position; `allowlistEnds` by expiry
 * - `alerts`, `alertOrder`, `refusals`, `refusalOrder`: JSON, by creation
 * - `bouncers`: hash of name → JSON
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
 * ARGV: an epoch to use when there is none yet. A history that was lost while rows stayed (an evicted key) goes on above
 * the rows' positions.
 */
const prelude = `
local ${keyNames.map((name) => `k_${name}`).join(', ')} = unpack(KEYS)
local function text(number) return string.format('%.0f', number) end
local function history(fresh)
  local epoch = redis.call('HGET', k_history, 'epoch')
  if epoch then return epoch, tonumber(redis.call('HGET', k_history, 'seq')) end
  local last = redis.call('ZREVRANGE', k_order, 0, 0, 'WITHSCORES')[2] or 0
  local lastEntry = redis.call('ZREVRANGE', k_allowlistOrder, 0, 0, 'WITHSCORES')[2] or 0
  local seq = math.max(tonumber(last), tonumber(lastEntry))
  redis.call('DEL', k_changes)
  redis.call('HSET', k_history, 'epoch', fresh, 'seq', text(seq))
  return fresh, seq
end
local function floorOf(seq)
  local first = redis.call('XRANGE', k_changes, '-', '+', 'COUNT', 1)[1]
  if not first then return seq end
  return tonumber(string.match(first[1], '^(%d+)')) - 1
end
`;

function script(body: string): RedisScript {
  const lua = prelude + body;
  return { lua, sha: createHash('sha1').update(lua).digest('hex') };
}

export const redisScripts = {
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
local function tell(kind, body)
  redis.call('XADD', k_changes, 'MAXLEN', '~', length, text(seq) .. '-0', 'kind', kind, 'body', body)
end
local function putDecision(tag)
  local uuid, body, till, created, own, alert = take(6)
  seq = seq + 1
  local deleted = ''
  if tag == 'deleted' then
    local before = redis.call('HGET', k_decisions, uuid)
    deleted = before and string.match(before, '^%d+') or now
    if tonumber(deleted) < tonumber(till) then till = deleted end
  elseif alert ~= '' then
    redis.call('ZADD', k_alertUse, 'GT', till, alert)
  end
  redis.call('HSET', k_decisions, uuid, deleted .. '|' .. text(seq) .. '|' .. body)
  redis.call('ZADD', k_order, text(seq), uuid)
  redis.call('ZADD', k_ends, till, uuid)
  if own == '1' then redis.call('ZADD', k_own, created, uuid) else redis.call('ZREM', k_own, uuid) end
  tell(tag, body)
end
while at <= #ARGV do
  local tag = take(1)
  if tag == 'added' or tag == 'deleted' then
    putDecision(tag)
  elseif tag == 'entry' then
    local value, body, till = take(3)
    seq = seq + 1
    redis.call('HSET', k_allowlist, value, body)
    redis.call('ZADD', k_allowlistOrder, text(seq), value)
    if till == '' then redis.call('ZREM', k_allowlistEnds, value) else redis.call('ZADD', k_allowlistEnds, till, value) end
    tell(tag, body)
  elseif tag == 'entryDeleted' then
    local value = take(1)
    seq = seq + 1
    redis.call('HDEL', k_allowlist, value)
    redis.call('ZREM', k_allowlistOrder, value)
    redis.call('ZREM', k_allowlistEnds, value)
    tell(tag, value)
  elseif tag == 'alert' then
    local uuid, body, created = take(3)
    redis.call('HSET', k_alerts, uuid, body)
    redis.call('ZADD', k_alertOrder, created, uuid)
  elseif tag == 'bouncer' then
    local name, body = take(2)
    redis.call('HSET', k_bouncers, name, body)
  elseif tag == 'bouncerDeleted' then
    redis.call('HDEL', k_bouncers, take(1))
  else
    local body, time = take(2)
    local id = text(redis.call('HINCRBY', k_history, 'refusals', 1))
    redis.call('HSET', k_refusals, id, body)
    redis.call('ZADD', k_refusalOrder, time, id)
  end
end
redis.call('HSET', k_history, 'seq', text(seq))
return text(seq)`),

  bouncers: script(`return redis.call('HVALS', k_bouncers)`),

  /** ARGV: epoch. Returns epoch, position, floor. */
  head: script(`
local epoch, seq = history(ARGV[1])
return {epoch, text(seq), text(floorOf(seq))}`),

  /** ARGV: epoch, after, end, rows. Returns epoch, position, then what was written in between, in order: tag, row. */
  snapshot: script(`
local epoch = history(ARGV[1])
local after, last, rows = ARGV[2], ARGV[3], tonumber(ARGV[4])
local position = tonumber(last)
local found = {}
local function read(order, bodies, tag)
  local members = redis.call('ZRANGEBYSCORE', order, '(' .. after, last, 'WITHSCORES', 'LIMIT', 0, rows)
  local names = {}
  for i = 1, #members, 2 do names[#names + 1] = members[i] end
  if #names == 0 then return end
  local values = redis.call('HMGET', bodies, unpack(names))
  for i = 1, #names do found[#found + 1] = {tonumber(members[2 * i]), tag, values[i]} end
  if #names == rows then position = math.min(position, tonumber(members[#members])) end
end
read(k_order, k_decisions, 'decision')
read(k_allowlistOrder, k_allowlist, 'entry')
table.sort(found, function(a, b) return a[1] < b[1] end)
local reply = {epoch, text(position)}
for _, row in ipairs(found) do
  if row[1] <= position and row[3] then
    reply[#reply + 1] = row[2]
    reply[#reply + 1] = row[3]
  end
end
return reply`),

  /** ARGV: epoch, after, rows. Returns epoch, floor, position, then the changes: kind, body. */
  since: script(`
local epoch, seq = history(ARGV[1])
local entries = redis.call('XRANGE', k_changes, '(' .. ARGV[2] .. '-0', '+', 'COUNT', ARGV[3])
local position = ARGV[2]
local reply = {epoch, text(floorOf(seq)), position}
for _, entry in ipairs(entries) do
  reply[3] = string.match(entry[1], '^(%d+)')
  reply[#reply + 1] = entry[2][2]
  reply[#reply + 1] = entry[2][4]
end
return reply`),

  /**
   * ARGV: epoch, before, rows to look at, rows wanted, now (empty: also what has ended), then texts that must all be in
   * the JSON. Returns epoch, the position reached (0 at the end), then the rows, newest first.
   */
  decisions: script(`
local epoch = history(ARGV[1])
local rows, wanted = tonumber(ARGV[3]), tonumber(ARGV[4])
local members = redis.call('ZREVRANGEBYSCORE', k_order, '(' .. ARGV[2], '-inf', 'WITHSCORES', 'LIMIT', 0, rows)
local names = {}
for i = 1, #members, 2 do names[#names + 1] = members[i] end
local reply = {epoch, '0'}
if #names == 0 then return reply end
local values = redis.call('HMGET', k_decisions, unpack(names))
for i, row in ipairs(values) do
  local matches = row and true
  for needle = 6, #ARGV do
    if not matches or not string.find(row, ARGV[needle], 1, true) then matches = false break end
  end
  if matches and ARGV[5] ~= '' then
    matches = string.sub(row, 1, 1) == '|' and tonumber(redis.call('ZSCORE', k_ends, names[i])) > tonumber(ARGV[5])
  end
  if matches then reply[#reply + 1] = row end
  if #reply - 2 >= wanted then
    reply[2] = members[2 * i]
    return reply
  end
end
if #names == rows then reply[2] = members[#members] end
return reply`),

  /** ARGV: epoch, uuid. Returns epoch and the row, if any. */
  decision: script(`
local epoch = history(ARGV[1])
return {epoch, redis.call('HGET', k_decisions, ARGV[2])}`),

  /** ARGV: since, offset, rows. Returns the rows of own decisions, newest first. */
  own: script(`
local names = redis.call('ZREVRANGEBYSCORE', k_own, '+inf', ARGV[1], 'LIMIT', ARGV[2], ARGV[3])
if #names == 0 then return {} end
return redis.call('HMGET', k_decisions, unpack(names))`),

  /** No ARGV. Returns every entry, in order of writing. */
  allowlist: script(`
local reply = {}
local names = redis.call('ZRANGE', k_allowlistOrder, 0, -1)
for _, name in ipairs(names) do
  local body = redis.call('HGET', k_allowlist, name)
  if body then reply[#reply + 1] = body end
end
return reply`),

  /** ARGV: `alerts` or `refusals`, since, offset, rows, then texts that must all be in the JSON. Newest first; false for others. */
  records: script(`
local bodies, order = k_alerts, k_alertOrder
if ARGV[1] == 'refusals' then bodies, order = k_refusals, k_refusalOrder end
local names = redis.call('ZREVRANGEBYSCORE', order, '+inf', ARGV[2], 'LIMIT', ARGV[3], ARGV[4])
local reply = {#names}
if #names == 0 then return reply end
for _, body in ipairs(redis.call('HMGET', bodies, unpack(names))) do
  local matches = body and true
  for needle = 5, #ARGV do
    if not matches or not string.find(body, ARGV[needle], 1, true) then matches = false break end
  end
  if matches then reply[#reply + 1] = body end
end
return reply`),

  /** ARGV: uuid. */
  alert: script(`return redis.call('HGET', k_alerts, ARGV[1])`),

  /**
   * ARGV: now, rows of a slice, then maximal age and number of ended decisions, alerts and refusals, and how many alerts
   * to skip because they are in use. Returns rows removed and alerts skipped; the caller goes on until a slice is not full.
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
  redis.call('HDEL', k_decisions, uuid)
  redis.call('ZREM', k_order, uuid)
  redis.call('ZREM', k_ends, uuid)
  redis.call('ZREM', k_own, uuid)
  removed = removed + 1
end
local refusals = redis.call('ZCARD', k_refusalOrder)
for _, id in ipairs(due(k_refusalOrder, tonumber(ARGV[7]), tonumber(ARGV[8]), refusals)) do
  redis.call('HDEL', k_refusals, id)
  redis.call('ZREM', k_refusalOrder, id)
  removed = removed + 1
end
for _, value in ipairs(redis.call('ZRANGEBYSCORE', k_allowlistEnds, '-inf', ARGV[1], 'LIMIT', 0, rows)) do
  redis.call('HDEL', k_allowlist, value)
  redis.call('ZREM', k_allowlistOrder, value)
  redis.call('ZREM', k_allowlistEnds, value)
  removed = removed + 1
end
for _, uuid in ipairs(redis.call('ZRANGEBYSCORE', k_alertUse, '-inf', ARGV[1], 'LIMIT', 0, rows)) do
  redis.call('ZREM', k_alertUse, uuid)
  removed = removed + 1
end
local skip, skipped = tonumber(ARGV[9]), 0
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
    removed = removed + 1
  end
end
return {removed, skipped}`),
} as const;
