-- Promises: money that went back is entered once by the refund's id, for ever. With the last of a payment goes what it gave:
-- its period, its results as far as they were not used, its hold unless it was released, and the subscription is paid until
-- where its other payments say. Nothing goes below nothing. What had come out of the wallet goes back into it, and never more
-- than that; it is to follow with a merge. Before the payment is known it is noted, and the payment gives nothing when it
-- comes.
-- What was given may have gone on with a merge: then that other subject gives it back first (`revoke`), and is named.
-- KEYS: subject, marks, ledger, hold index, subscriptions
-- ARGV: now, provider, payment, refund, amount, currency, 1 if nothing is left, 1 if the bank took it, how long the hold is
--       kept, 1 if it was given back elsewhere
-- Answers: revoked | noted | replayed, each with the KEY that a wallet is to follow to | too-much | early | merged-into KEY |
-- given-to KEY; the payment's entry (may be empty)
--@include begin_writing
--@include clock
--@include changed
--@include holds
--@include ledger
--@include subscriptions
--@include wallet
--@include revoke
-- A period that was bought goes on with a merge as far as it was not over: no more than that can be taken back there.
local function as_it_went(entry)
  for _, other in ipairs(redis.call('LRANGE', KEYS[3], 0, -1)) do
    local merge = cjson.decode(other)
    if merge.kind == 'merged-into' and merge.at >= entry.at and entry.entitled_until then
      entry.period_ms = math.max(0, math.min(entry.period_ms, entry.entitled_until - merge.at))
      break
    end
  end
  return entry
end

-- What of a payment out of the wallet has not gone back into it.
local function left_of(entry)
  local left = tonumber(entry.amount)
  for _, text in ipairs(redis.call('LRANGE', KEYS[3], 0, -1)) do
    local other = cjson.decode(text)
    if other.kind == 'refund' and other.provider == entry.provider and other.payment == entry.payment then
      left = left - tonumber(other.amount)
    end
  end
  return left
end

local provider, payment = ARGV[2], ARGV[3]
local name = mark('refund', provider .. ':' .. payment .. ':' .. ARGV[4])
local is_known = redis.call('HEXISTS', KEYS[2], name) == 1
local entry, text = entry_under(KEYS[3], KEYS[2], mark('payment', provider .. ':' .. payment))
local gone = mark('gone', provider .. ':' .. payment)
local is_gone = redis.call('HEXISTS', KEYS[2], gone) == 1
local into = redis.call('HGET', KEYS[1], 'mi')
local is_whole = ARGV[7] == '1'
local is_credited = entry and entry.kind == 'payment'
local is_from_wallet = is_credited and entry.from_wallet
local follows = is_from_wallet and into and ' ' .. into or ''
local refund = {
  kind = 'refund', provider = provider, payment = payment, refund = ARGV[4], amount = ARGV[5], currency = ARGV[6],
  chargeback = ARGV[8] == '1' or nil, whole = is_whole or nil,
}
if not is_known and not entry and into then
  return {'merged-into ' .. into, ''}
end
if is_from_wallet and not is_known then
  local amount = tonumber(ARGV[5])
  if amount < 0 or ARGV[6] ~= entry.currency or amount > left_of(entry) then
    return {'too-much', ''}
  end
end
local revokes = not is_known and is_whole and is_credited and not is_gone
if revokes and into and ARGV[10] ~= '1' then
  return {'given-to ' .. into, cjson.encode(as_it_went(entry))}
end
local what = revokes and ARGV[10] ~= '1' and look_at_gift(entry, true) or nil
local balance = is_from_wallet and in_wallet(ARGV[6]) or 0

begin_writing()
-- A repeat writes too, so that waiting for the disk afterwards waits for the first one's writes.
redis.call('HINCRBY', KEYS[1], 'st', 0)
if is_known then
  -- Whoever reported it before may have been cut off before it had followed.
  return {'replayed' .. follows, ''}
end
if what then
  revoke(what, refund)
end
if is_from_wallet then
  put_into_wallet(ARGV[6], balance, tonumber(ARGV[5]))
  refund.from_wallet = true
end
local names = {name}
if is_whole then
  names[2] = gone
end
if entry then
  refund.checkout, refund.plan = entry.checkout, entry.plan
else
  refund.early = true
end
enter(KEYS[3], refund, KEYS[2], names)
changed()
return {not entry and 'early' or (revokes and 'revoked' or 'noted') .. follows, text or ''}
