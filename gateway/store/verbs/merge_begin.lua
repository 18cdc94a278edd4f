-- Promises: all that a subject may use goes into one parcel for another subject, at once, and stands there until it was
-- delivered (`merge_end`); its ledger says what went. From then on it has nothing and no trial, and leads to that other
-- subject for ever: never to a second one. Its marks stay, and copies of them go along, but for those of offers and
-- checkouts. Operations that took something stay, too, so that what comes to nothing is still given back.
-- KEYS: subject, marks, ledger, hold index, checkout index, note, parcel, subscriptions
-- ARGV: now, subject id, key of the other, id of the other
-- Answers: begun | pending | nothing-new | another | unknown (or nothing that could be brought); the parcel, empty where there is none
--@include begin_writing
--@include clock
--@include changed
--@include ledger
--@include wallet
local NAMES = {'ts', 'te', 'eu', 'cr', 'we', 'wl', 'da', 'dr', 'mi', 'mn', 'su', 'rn'}
local found, fields = redis.call('HMGET', KEYS[1], unpack(NAMES)), {}
for place, name in ipairs(NAMES) do
  fields[name] = found[place] or nil
end
local function number(name)
  return tonumber(fields[name] or '0')
end
local parcel = redis.call('GET', KEYS[7])
local is_known = redis.call('EXISTS', KEYS[1], KEYS[3], KEYS[4]) > 0
local has_ledger = redis.call('EXISTS', KEYS[3]) == 1
local has_holds = redis.call('ZCARD', KEYS[4]) > 0
local note = redis.call('GET', KEYS[6])
-- What a subscription opens goes with the subscription.
local period, results = math.max(number('eu') - now, 0), number('cr')
local wallets, has_money = wallets_of()
local subscriptions = redis.call('HGETALL', KEYS[8])
local sent = {
  id = ARGV[4], from = string.match(KEYS[1], '{(.*)}'), from_id = ARGV[2], number = number('mn') + 1,
  started = number('ts'), ends = number('te'), period_ms = period, results = results, marks = {}, purses = {},
  checkouts = {}, got = number('rn'), subscriptions = subscriptions, wallets = wallets,
}
if number('we') > now and number('wl') > 0 then
  sent.window_ends, sent.window_left = number('we'), number('wl')
end
if fields.da then
  sent.declined_at, sent.reason, sent.note = fields.da, fields.dr, note or ''
end
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  local scope = string.match(field, '^g:(.*)$')
  if scope then
    local purse = KEYS[1] .. ':grace:' .. scope
    sent.purses[#sent.purses + 1] = {
      scope = scope, lives = redis.call('PTTL', purse), taken = redis.call('ZRANGE', purse, 0, -1, 'WITHSCORES'),
    }
  end
end
for _, id in ipairs(redis.call('ZRANGE', KEYS[5], 0, -1)) do
  local checkout = KEYS[1] .. ':checkout:' .. id
  local lives = redis.call('PTTL', checkout)
  if lives > 0 then
    sent.checkouts[#sent.checkouts + 1] = {id = id, lives = lives, fields = redis.call('HGETALL', checkout)}
  end
end
local agreed = {}
for _, text in ipairs(redis.call('LRANGE', KEYS[3], 0, -1)) do
  local entry = cjson.decode(text)
  sent.extended = sent.extended or entry.kind == 'extension' or entry.extended or nil
  if entry.offer then
    agreed[mark('checkout', entry.checkout)], agreed[mark('offer', entry.offer)] = true, true
  end
end
for _, name in ipairs(redis.call('HKEYS', KEYS[2])) do
  if not agreed[name] then
    sent.marks[#sent.marks + 1] = name
  end
end
-- A trial that began at 1 is none: it stands for one that was had under another name (`NO_TRIAL` in gateway/ports/state.py).
if sent.started == 1 and sent.ends == 1 then
  sent.started, sent.ends = 0, 0
end
local is_new = period > 0 or results > 0 or sent.window_ends or fields.da or #sent.checkouts > 0 or has_holds
is_new = is_new or #subscriptions > 0 or has_money
is_new = is_new or (not fields.mi and (sent.started > 0 or #sent.purses > 0 or has_ledger))
if fields.mi and fields.mi ~= ARGV[3] then
  return {'another', ''}
elseif not is_known or (not is_new and not fields.mi) then
  return {'unknown', ''}
end

begin_writing()
-- A repeat writes too, so that waiting for the disk afterwards waits for the first one's writes.
redis.call('HSET', KEYS[1], 'mi', ARGV[3])
if parcel then
  return {'pending', parcel}
elseif not is_new then
  return {'nothing-new', ''}
end
parcel = cjson.encode(sent)
redis.call('SET', KEYS[7], parcel)
local started = fields.ts or string.format('%.0f', now)
local ended = string.format('%.0f', fields.te and math.min(number('te'), now) or now)
redis.call('HDEL', KEYS[1], 'eu', 'cr', 'we', 'wl', 'da', 'dr', 'su', 'uc', 'rn')
empty_wallets(wallets)
redis.call('HSET', KEYS[1], 'ts', started, 'te', ended, 'mn', sent.number)
redis.call('UNLINK', KEYS[5], KEYS[6], KEYS[8])
for _, checkout in ipairs(sent.checkouts) do
  redis.call('UNLINK', KEYS[1] .. ':checkout:' .. checkout.id)
end
enter(KEYS[3], {
  kind = 'merged-into', into = ARGV[3], operation = sent.from .. ':' .. sent.number, period_ms = period, results = results,
  wallets = has_money and wallets or nil, subscribed_until = fields.su and 0 or nil,
})
changed()
return {'begun', parcel}
