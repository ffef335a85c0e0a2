/** The Lua scripts that read. The keys and the shared beginning: `redis-script.ts`. */
import { script } from './redis-script.ts';

export const redisScripts = {
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

  /** ARGV: epoch, after, rows. Returns epoch, floor, position, then the changes: kind, body, and `id:deletedAt` of decisions. */
  since: script(`
local epoch, seq = history(ARGV[1])
local entries = redis.call('XRANGE', k_changes, '(' .. ARGV[2] .. '-0', '+', 'COUNT', ARGV[3])
local position = ARGV[2]
local reply = {epoch, text(floorOf(seq)), position}
for _, entry in ipairs(entries) do
  local fields = entry[2]
  reply[3] = string.match(entry[1], '^(%d+)')
  reply[#reply + 1] = fields[2]
  reply[#reply + 1] = fields[4]
  reply[#reply + 1] = fields[6] or (reply[3] .. ':')
end
return reply`),

  /**
   * ARGV: epoch, before, rows to look at, rows wanted, now, `active`, `ended` or `all`, alert (empty: of any), how many texts
   * must not be in the JSON, those, then texts that must all be in it. Returns epoch, the position reached (0 at the end), then
   * the rows, newest first.
   */
  decisions: script(`
local epoch = history(ARGV[1])
local rows, wanted, now, state, alert = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6], ARGV[7]
local wantedAfter = 8 + tonumber(ARGV[8])
local names, places = {}, {}
local looked, last = 0, '0'
if alert == '' then
  local members = redis.call('ZREVRANGEBYSCORE', k_order, '(' .. ARGV[2], '-inf', 'WITHSCORES', 'LIMIT', 0, rows)
  looked, last = #members / 2, members[#members]
  for i = 1, #members, 2 do
    names[#names + 1] = members[i]
    places[#places + 1] = members[i + 1]
  end
else
  local from, to = byAlertMember(alert, ARGV[2]), byAlertMember(alert, 0)
  local members = redis.call('ZREVRANGEBYLEX', k_byAlert, '(' .. from, '[' .. to, 'LIMIT', 0, rows)
  looked = #members
  for _, member in ipairs(members) do
    local seq = text(tonumber(string.sub(member, -16)))
    last = seq
    local uuid = #member == #from and redis.call('ZRANGEBYSCORE', k_order, seq, seq)[1]
    if uuid then
      names[#names + 1] = uuid
      places[#places + 1] = seq
    end
  end
end
local reply = {epoch, looked == rows and last or '0'}
local values = #names > 0 and redis.call('HMGET', k_decisions, unpack(names)) or {}
for i, row in ipairs(values) do
  local matches = row and true
  for needle = 9, #ARGV do
    if not matches then break end
    local found = string.find(row, ARGV[needle], 1, true) ~= nil
    matches = found == (needle > wantedAfter)
  end
  if matches and state ~= 'all' then
    local active = string.sub(row, 1, 1) == '|' and tonumber(redis.call('ZSCORE', k_ends, names[i])) > now
    matches = active == (state == 'active')
  end
  if matches then reply[#reply + 1] = row end
  if #reply - 2 >= wanted then
    reply[2] = places[i]
    return reply
  end
end
return reply`),

  /** ARGV: epoch, uuid. Returns epoch and the row, if any. */
  decision: script(`
local epoch = history(ARGV[1])
return {epoch, redis.call('HGET', k_decisions, ARGV[2])}`),

  /** ARGV: epoch, id. Returns epoch and the row, if any. */
  decisionById: script(`
local epoch = history(ARGV[1])
local uuid = redis.call('HGET', k_moved, ARGV[2]) or redis.call('ZRANGEBYSCORE', k_order, ARGV[2], ARGV[2])[1]
local row = uuid and redis.call('HGET', k_decisions, uuid)
if not row or select(3, parsed(row)) ~= ARGV[2] then return {epoch, false} end
return {epoch, row}`),

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

  /** No ARGV. Returns each list: its name and its row. */
  allowlists: script(`
local reply = redis.call('HGETALL', k_allowlists)
if redis.call('HEXISTS', k_allowlists, 'default') == 1 then return reply end
local first, last
for _, member in ipairs(redis.call('ZRANGE', k_allowlistOrder, 0, -1)) do
  local body = isPlainEntry(member) and redis.call('HGET', k_allowlist, member)
  if body then
    local created = cjson.decode(body).createdAt
    first, last = math.min(first or created, created), math.max(last or created, created)
  end
end
if first then
  reply[#reply + 1] = 'default'
  reply[#reply + 1] = text(first) .. '|' .. text(last) .. '|'
end
return reply`),

  /** ARGV: lowest and highest id asked for, rows to look at, rows wanted, since, texts that must all be in the JSON. Returns the id
   * reached (0 at the end), then id and JSON of each, the highest first.
   */
  alerts: script(`
numberAlerts()
local rows, wanted, since = tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5]
local members = redis.call('ZREVRANGEBYSCORE', k_alertIds, ARGV[2], ARGV[1], 'WITHSCORES', 'LIMIT', 0, rows)
local reply = {'0'}
for i = 1, #members, 2 do
  local uuid = members[i]
  local created = since ~= '' and redis.call('ZSCORE', k_alertOrder, uuid)
  local body = (not created or tonumber(created) >= tonumber(since)) and redis.call('HGET', k_alerts, uuid)
  local matches = body and true
  for needle = 6, #ARGV do
    if not matches or not string.find(body, ARGV[needle], 1, true) then matches = false break end
  end
  if matches then
    reply[#reply + 1] = members[i + 1]
    reply[#reply + 1] = body
  end
  if #reply > 2 * wanted then
    reply[1] = members[i + 1]
    return reply
  end
end
if #members == 2 * rows then reply[1] = members[#members] end
return reply`),

  /** ARGV: uuid. Returns id and JSON, or nothing. */
  alert: script(`
numberAlerts()
local id = redis.call('ZSCORE', k_alertIds, ARGV[1])
if not id then return {} end
return {id, redis.call('HGET', k_alerts, ARGV[1])}`),

  /** ARGV: id. As `alert`. */
  alertById: script(`
numberAlerts()
local uuid = redis.call('ZRANGEBYSCORE', k_alertIds, ARGV[1], ARGV[1])[1]
if not uuid then return {} end
return {ARGV[1], redis.call('HGET', k_alerts, uuid)}`),

  /** ARGV: `refusals` or `usage`, since, offset, rows, then texts that must all be in the JSON. Newest first; how many were looked at goes before. */
  records: script(`
local bodies, order = k_refusals, k_refusalOrder
if ARGV[1] == 'usage' then bodies, order = k_usage, k_usageOrder end
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

  /** ARGV: `bouncers` or `machines`. Returns the JSON of each. */
  documents: script(`
if ARGV[1] == 'machines' then return redis.call('HVALS', k_machines) end
return redis.call('HVALS', k_bouncers)`),
} as const;
