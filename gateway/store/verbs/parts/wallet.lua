-- The subject's wallet: one field for each currency, in minor units, that follows from the ledger.
local function in_wallet(currency)
  return tonumber(redis.call('HGET', KEYS[1], 'wa:' .. currency) or '0')
end

local function put_into_wallet(currency, balance, amount)
  redis.call('HSET', KEYS[1], 'wa:' .. currency, string.format('%.0f', balance + amount))
end

-- All of it, by currency, and whether there is anything.
local function wallets_of()
  local found, has_money = {}, false
  local fields = redis.call('HGETALL', KEYS[1])
  for place = 1, #fields, 2 do
    local currency = string.match(fields[place], '^wa:(.*)$')
    if currency then
      found[currency], has_money = fields[place + 1], has_money or fields[place + 1] ~= '0'
    end
  end
  return found, has_money
end

local function empty_wallets(wallets)
  for currency in pairs(wallets) do
    redis.call('HDEL', KEYS[1], 'wa:' .. currency)
  end
end
