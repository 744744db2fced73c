#!lua name=hf1
-- queue.lua - the lock: fences, moves and appends, nothing more. It knows no campaign rule.
--
-- Three functions, each taking an ordered batch of entries (ARCHITECTURE.md 3.3). Every entry checks its
-- arguments before its first write and runs under pcall, so one bad entry leaves the others whole. No
-- clock, no EXPIRE, no randomness: the same calls give the same state. Tokens are fixed-width hex
-- strings and compared as such, because Lua numbers are doubles.
--
-- A case is in exactly one lane or under exactly one lease: enter, leave, hold and unhold alone move it.
--
-- A command costs more than what it does. So a call reads ahead what its entries will ask for, remembers
-- what it read, and keeps its writes to hashes and sorted sets back until its end (the view, below).

local P          -- "hf:{campaign}:" of the running call
local LOG        -- and the key of its log
local M          -- the campaign's counters, written back once at the end of the call
local NOW, NOW_MS -- campaign ms: decimal string, number
local STAMP      -- " NOW WALL", as every log entry has it

local ZERO = '0000000000000000'
local GIVEN_MAX = 5
local PAGE = 50
local MEMO_MAX = 2048  -- what is remembered, the collector looks through again and again
local SMALL_MAX = 1024
local GC_PAUSE = 200   -- per cent: more leaves the caches of the processor, less marks too often

-- Filled by the first call: while a library loads, neither Lua's functions nor redis.call are there. As
-- locals they are also found faster.
local function from_lua() return type, error, tonumber, unpack, pcall end

local call, type, error, tonumber, unpack, pcall, format, char, floor, min, concat, find, match, sub
local BEGUN = {} -- campaigns that were called since this library was loaded; it is loaded when Redis starts
local HEX     -- byte -> hex
local SMALL   -- number below SMALL_MAX -> decimal text
local NUMBER  -- and back
local BITS    -- flags of a record -> bit -> is it set
local HEXED   -- raw -> hex; a memo of a pure function, like PARSED: emptied when it is full
local PARSED  -- parser -> text of a row -> what it says
local hexed_n, parsed_n

local function prepare()
	call = redis.call
	type, error, tonumber, unpack, pcall = from_lua()
	format, char, floor, min, concat = string.format, string.char, math.floor, math.min, table.concat
	find, match, sub = string.find, string.match, string.sub
	HEX, SMALL, NUMBER, BITS, HEXED, PARSED, hexed_n, parsed_n = {}, {}, {}, {}, {}, {}, 0, 0
	for i = 0, 255 do HEX[char(i)] = format('%02x', i) end
	for i = 0, SMALL_MAX - 1 do
		local text = format('%d', i)
		SMALL[i], NUMBER[text] = text, i
	end
	collectgarbage('setpause', GC_PAUSE)
end

local function hex(raw)
	local text = HEXED[raw]
	if not text then
		text = raw:gsub('.', HEX)
		if hexed_n >= MEMO_MAX then HEXED, hexed_n = {}, 0 end
		HEXED[raw], hexed_n = text, hexed_n + 1
	end
	return text
end

local function unhex(text)
	return (text:gsub('%x%x', function(d) return char(tonumber(d, 16)) end))
end

local function num(n) return SMALL[n] or format('%d', n) end

-- Which of the bits 1, 2, 4 … 128 the flags have, by bit.
local function bits_of(flags)
	local bits = BITS[flags]
	if not bits then
		bits = {}
		for i = 0, 7 do bits[2 ^ i] = floor(flags / 2 ^ i) % 2 == 1 end
		if flags < 256 then BITS[flags] = bits end
	end
	return bits
end

-- What parse says of the text; asked once. The answer is not to be changed.
local function parsed(parse, text)
	local memo = PARSED[parse]
	local v = memo and memo[text]
	if not v then
		v = parse(text)
		if parsed_n >= MEMO_MAX then PARSED, parsed_n = {}, 0 end
		PARSED[parse] = PARSED[parse] or {}
		PARSED[parse][text], parsed_n = v, parsed_n + 1
	end
	return v
end

-- Arguments: each returns the value or ends the entry with an error that names it.
local function bytes(name, v, len)
	if type(v) ~= 'string' or #v ~= len then error(name .. ': wants ' .. len .. ' bytes', 0) end
	return v
end

local function count(name, v)
	local n = NUMBER[v]
	if n then return n end
	if type(v) ~= 'string' or #v > 15 or #v == 0 or find(v, '%D') then error(name .. ': wants a number', 0) end
	return tonumber(v)
end

local function token_arg(v)
	if type(v) ~= 'string' or #v ~= 16 or find(v, '[^0-9a-f]') then error('token: wants hex16', 0) end
	return v
end

local function name_arg(name, v)
	if type(v) ~= 'string' or #v > 32 or not find(v, '^[a-z0-9][a-z0-9_-]*$') then
		error(name .. ': wants a name', 0)
	end
	return v
end

local function lane_arg(v)
	if type(v) ~= 'string' or #v > 79 or not find(v, '^[a-z][a-z0-9:_-]*$') then error('lane: bad name', 0) end
	return v
end

local function due_arg(v)
	if type(v) ~= 'string' or #v > 15 or not find(v, '^%d+$') then error('due: wants ms', 0) end
	return v
end

local function id_arg(v)
	if type(v) ~= 'string' or #v > 32 or not v:match('^%d+%-%d+$') then error('log id: wants a-b', 0) end
	return v
end

local function text_arg(name, v, max)
	if type(v) ~= 'string' or #v > max then error(name .. ': too long', 0) end
	return v
end

local function word_arg(name, v)
	if type(v) ~= 'string' or #v > 48 or not v:match('^[a-z0-9-]+$') then error(name .. ': wants a word', 0) end
	return v
end

-- a-b <= c-d for log ids
local function id_not_after(a, b)
	local a1, a2 = a:match('^(%d+)%-(%d+)$')
	local b1, b2 = b:match('^(%d+)%-(%d+)$')
	a1, a2, b1, b2 = tonumber(a1), tonumber(a2), tonumber(b1), tonumber(b2)
	return a1 < b1 or (a1 == b1 and a2 <= b2)
end

-- ---- the view --------------------------------------------------------------------------------------
--
-- Hashes cases, tasks, persons, offer, next, hands and all sorted sets are read and written through it
-- alone; each entry sees what the entries before it did. Whatever else there is (outboxes, lists of last
-- records, sets, the log) is written at once. Who reads a sorted set by other means settles first.

local CHUNK = 200 -- arguments in one command: what unpack takes is bounded
local AHEAD = 64  -- cases read ahead of a lane at most

local H, Z          -- hash -> its fields seen and changed; sorted set -> its members changed
local ZSETS, HASHES -- their names in the order of the first change
local HEADS         -- lane -> what the store has at its head
local GRANTS        -- how many entries of the call want a case from a lane, at least 1

local function view_begin()
	H, Z, HASHES, ZSETS, HEADS, GRANTS = {}, {}, {}, {}, {}, 1
end

local function hash(name)
	local h = { value = {}, is_changed = {}, changed = {}, n = 0 }
	H[name] = h
	return h
end

-- The field's text, or false.
local function get(name, field)
	local value = (H[name] or hash(name)).value
	local v = value[field]
	if v == nil then
		v = call('HGET', P .. name, field)
		value[field] = v
	end
	return v
end

-- value false: the field goes.
local function put(name, field, value)
	local h = H[name] or hash(name)
	h.value[field] = value
	if h.is_changed[field] then return end
	h.is_changed[field] = true
	local n = h.n + 1
	if n == 1 then HASHES[#HASHES + 1] = name end
	h.n, h.changed[n] = n, field
end

-- Reads what get would read one by one.
local function read_ahead(name, fields)
	local value, want, n = (H[name] or hash(name)).value, {}, 0
	for i = 1, #fields do
		local field = fields[i]
		if value[field] == nil then
			n = n + 1
			want[n] = field
		end
	end
	for from = 1, n, CHUNK do
		local got = call('HMGET', P .. name, unpack(want, from, min(from + CHUNK - 1, n)))
		for i = 1, #got do value[want[from + i - 1]] = got[i] end
	end
end

-- score false: the member goes.
local function zput(name, member, score)
	local z = Z[name]
	if not z then
		z = { score = {}, n = 0 }
		Z[name] = z
		ZSETS[#ZSETS + 1] = name
	end
	local scores = z.score
	if scores[member] == nil then
		local n = z.n + 1
		z.n, z[n] = n, member
	end
	scores[member] = score
	if score then z.adds = true end
end

local function in_chunks(command, key, list)
	for from = 1, #list, CHUNK do call(command, key, unpack(list, from, min(from + CHUNK - 1, #list))) end
end

local function settle_hash(name)
	local h, set, n, del = H[name], {}, 0, {}
	local changed, value = h.changed, h.value
	for i = 1, h.n do
		local field = changed[i]
		local v = value[field]
		if v then
			set[n + 1], set[n + 2], n = field, v, n + 2
		else
			del[#del + 1] = field
		end
	end
	in_chunks('HDEL', P .. name, del)
	in_chunks('HSET', P .. name, set)
	h.is_changed, h.changed, h.n = {}, {}, 0
end

local function settle_zset(name)
	local z, add, n, del = Z[name], {}, 0, {}
	local scores = z.score
	for i = 1, z.n do
		local member = z[i]
		local score = scores[member]
		if score then
			add[n + 1], add[n + 2], n = score, member, n + 2
		else
			del[#del + 1] = member
		end
	end
	in_chunks('ZREM', P .. name, del)
	in_chunks('ZADD', P .. name, add)
end

-- The store gets what was kept back.
local function settle()
	local lanes = {}
	for i = 1, #HASHES do settle_hash(HASHES[i]) end
	for i = 1, #ZSETS do
		settle_zset(ZSETS[i])
		if Z[ZSETS[i]].adds and ZSETS[i]:sub(1, 5) == 'lane:' then lanes[#lanes + 1] = ZSETS[i]:sub(6) end
	end
	in_chunks('SADD', P .. 'lanes', lanes)
	Z, HASHES, ZSETS, HEADS = {}, {}, {}, {}
end

-- The next piece of a lane, and what belongs to its cases.
local function read_head(lane, head)
	local n = lane:sub(1, 4) == 'own:' and 1 or GRANTS > AHEAD and AHEAD or GRANTS
	local got = call('ZRANGE', P .. 'lane:' .. lane, num(head.read), num(head.read + n - 1), 'WITHSCORES')
	local due, len = {}, 2 * head.read
	for i = 1, #got, 2 do
		local at = tonumber(got[i + 1])
		head[len + i], head[len + i + 1] = got[i], at
		if at <= NOW_MS then due[#due + 1] = got[i] end
	end
	head.read, head.is_whole = head.read + n, #got < 2 * n
	if #due > 1 then
		read_ahead('cases', due)
		read_ahead('tasks', due)
	end
end

-- The case that is first in a lane, and when it is due; nil when the lane is empty.
local function first_of(lane)
	local moved = Z['lane:' .. lane]
	if moved and moved.adds then
		settle()
		moved = nil
	end
	local head = HEADS[lane]
	if not head then
		head = { at = 1, read = 0 }
		HEADS[lane] = head
	end
	while true do
		local case = head[head.at]
		if case and not (moved and moved.score[case] == false) then return case, head[head.at + 1] end
		if case then
			head.at = head.at + 2
		elseif head.is_whole then
			return nil
		else
			read_head(lane, head)
		end
	end
end

-- ---- the log and the counters ------------------------------------------------------------------

local function changed() M.opseq = M.opseq + 1 end

local function append(kind, case, state, detail, ...)
	local opseq, logno = M.opseq + 1, M.logno + 1
	local text = format('%d', opseq)
	M.opseq, M.logno, M.opseq_text = opseq, logno, text
	call('XADD', LOG, num(M.epoch) .. '-' .. format('%d', logno), 'e', kind .. ' ' .. text .. STAMP,
	    'c', case, 's', state, 'd', detail, ...)
end

local function next_token()
	M.tokno = M.tokno + 1
	return format('%06x%05x%05x', M.epoch, floor(M.tokno / 1048576), M.tokno % 1048576)
end

-- ---- cases ---------------------------------------------------------------------------------------

local STATE = '^(%d+)|([^|]*)|([^|]*)|([^|]*)|(%d+)|(%x+)|(%d+)|(%d+)|(%a*)|([^|]*)|([^|]*)|([^|]*)|(.*)$'

-- The case's state, nil when there is none. Damaged text is an error: the entry ends before a write.
local function load(case)
	local text = get('cases', case)
	if not text then return nil end
	local v, owner, hand, lane, due, token, rseq, given, flags, ob, law_at, why, blob = match(text, STATE)
	if not v then error('poison', 0) end
	return { version = NUMBER[v] or tonumber(v), owner = owner, hand = hand, lane = lane, due = due, token = token,
	    rseq = NUMBER[rseq] or tonumber(rseq), given = NUMBER[given] or tonumber(given), flags = flags, ob = ob,
	    law_at = law_at, why = why, blob = blob, held = find(flags, 'h', 1, true) ~= nil }
end

local function text_of(s)
	return num(s.version) .. '|' .. s.owner .. '|' .. s.hand .. '|' .. s.lane .. '|' .. s.due .. '|' .. s.token
	    .. '|' .. num(s.rseq) .. '|' .. num(s.given) .. '|' .. s.flags .. '|' .. s.ob .. '|' .. s.law_at
	    .. '|' .. s.why .. '|'
end

local function flag(s, letter, on)
	local rest = s.flags
	if find(rest, letter, 1, true) then rest = rest:gsub(letter, '') end
	s.flags = on and rest .. letter or rest
end

local function flagged(s, letter) return find(s.flags, letter, 1, true) ~= nil end

-- Writes the state; the version rises with every change but a renewal.
local function save(case, s)
	local text = text_of(s)
	put('cases', case, text .. s.blob)
	return text
end

local function bump(case, s)
	s.version = s.version + 1
	return save(case, s)
end

local function set_owner(case, s, owner)
	if s.owner == owner then return end
	if s.owner ~= '-' then call('SREM', P .. 'owned:' .. s.owner, case) end
	if owner ~= '-' then call('SADD', P .. 'owned:' .. owner, case) end
	s.owner = owner
end

local function enter(case, s, lane, due)
	s.lane, s.due = lane, due
	zput('lane:' .. lane, case, due)
end

local function leave(case, s) zput('lane:' .. s.lane, case, false) end

-- What a person holds: pieces of HAND bytes, each case(16) token(hex16) pulled(0 or 1) ob(hex32).
local HAND = 65

local function hand_of(person) return get('hands', person) or '' end

local function hand_add(person, case, token, pulled, ob)
	put('hands', person, hand_of(person) .. case .. token .. (pulled and '1' or '0') .. ob)
end

local function hand_drop(person, case)
	local all = hand_of(person)
	for i = 1, #all, HAND do
		if sub(all, i, i + 15) == case then
			local rest = #all > HAND and sub(all, 1, i - 1) .. sub(all, i + HAND) or ''
			put('hands', person, rest ~= '' and rest)
			return
		end
	end
end

-- How many of them were pulled, and how many opened.
local function hand_counts(person)
	local all, pulled = hand_of(person), 0
	for i = 33, #all, HAND do
		if all:sub(i, i) == '1' then pulled = pulled + 1 end
	end
	return pulled, #all / HAND - pulled
end

-- From a lane into somebody's hand, under a new token.
local function hold(case, s, person, ob, pulled)
	leave(case, s)
	s.token, s.rseq, s.hand, s.ob, s.held = next_token(), 0, person, ob, true
	s.given = s.given + 1
	s.flags = pulled and 'hp' or 'h'
	zput('leases', s.token .. case, '0')
	hand_add(person, case, s.token, pulled, ob)
end

-- The lease ends: how is 'x' expired, 'g' given back, 'd' done. The case stays nowhere: the caller settles it.
local function unhold(case, s, how)
	zput('leases', s.token .. case, false)
	hand_drop(s.hand, case)
	s.hand, s.held = '-', false
	s.flags = how .. (flagged(s, 'm') and 'm' or '')
end

-- After a lost store a case may be on somebody's mind whom we do not know: it waits in lane `doubt` until all
-- agents came back. Where a case goes that would go elsewhere: nobody but who frees it takes it out of there.
local function unless_in_doubt(s, lane) return s.lane == 'doubt' and M.doubt == '1' and 'doubt' or lane end

-- The doubt ends: all agents came back or were excused, or the time is over; not before the embargo.
local function settle_doubt(why)
	if M.doubt ~= '1' or M.mode ~= 0 then return false end
	local left = call('SCARD', P .. 'awaited')
	if left > 0 and (M.doubt_until == '0' or NOW_MS < tonumber(M.doubt_until)) then return false end
	call('DEL', P .. 'awaited')
	M.doubt, M.dirty = '0', true
	append('doubt', '', '', '0 ' .. why)
	return true
end

-- The agent sent all that its outbox had when it said HELLO.
local function came_back(agent)
	if call('SREM', P .. 'awaited', agent) == 1 then
		append('back', '', '', agent)
		settle_doubt('back')
	end
end

-- A lease ends without a record: back to where the case came from, unless something came up meanwhile.
local function give_up(case, s, how, kind, reason)
	local person, triage, acted = s.hand, flagged(s, 't'), flagged(s, 'a')
	unhold(case, s, how)
	if how == 'g' and s.given > 0 then s.given = s.given - 1 end
	if triage or s.lane == 'doubt' then
		enter(case, s, unless_in_doubt(s, 'triage'), NOW)
		if acted then flag(s, 'm', true) end
	elseif s.given >= GIVEN_MAX then
		enter(case, s, 'parked', NOW)
	else
		enter(case, s, s.lane, s.due)
	end
	append(kind, case, bump(case, s), person .. ' ' .. reason)
end

-- Why this token holds nothing (LOST reasons of PROTOCOL.md 6).
local function lost_reason(s, token)
	if not s then return 'unknown' end
	if s.token ~= token then return 'granted-on' end
	if flagged(s, 'm') then return 'moved' end
	if flagged(s, 'd') then return 'done' end
	if flagged(s, 'g') then return 'given-back' end
	return 'expired'
end

local function holds(s, token, ob) return s and s.held and s.token == token and s.ob == ob end

-- ---- handing out -----------------------------------------------------------------------------------

local function grant_reply(case, s)
	local task = get('tasks', case) or ''
	local last = call('LRANGE', P .. 'last:' .. hex(case), '0', '4')
	local r = { 'ok', case, s.token, num(s.rseq), flagged(s, 'p') and '1' or '0', num(s.version), s.due,
	    s.why, task, num(#last) }
	for i = 1, #last do r[#r + 1] = last[i] end
	return r
end

-- The answer that this next_no had already. nil: it had none, and is the newest from now on: whoever comes
-- with an older one, from a broker that was stopped meanwhile, gets nothing.
local function replay(ob, person, no)
	local key = ob .. ' ' .. person
	local prev = get('next', key)
	local newest = prev and tonumber(prev:match('^%d+')) or 0
	if newest > no then return { 'no', 'old', num(newest) } end
	if not prev or newest < no then
		put('next', key, num(no) .. ' N - -')
		return nil
	end
	local kind, chex, token = prev:match('^%d+ (%a) (%S+) (%S+)$')
	if kind ~= 'G' then return nil end
	local case = unhex(chex)
	local s = load(case)
	if holds(s, token, ob) then return grant_reply(case, s) end
	return { 'no', 'lost', case, token, lost_reason(s, token) }
end

local function remember(ob, person, no, case, token)
	put('next', ob .. ' ' .. person, num(no) .. ' G ' .. hex(case) .. ' ' .. token)
end

local function parse_person(row)
	local roles, team, qualified, pk, active = row:match('^(%d+) (%S+) ([01]) (%S+) ([01])$')
	if not roles then error('person row', 0) end
	return { may_work = active == '1' and qualified == '1' } -- who needs a team, the broker knows
end

-- May this person be handed a case at all?
local function may_work(person)
	local row = get('persons', person)
	return row and parsed(parse_person, row).may_work
end

local function parse_offer(text)
	local max, rest = text:match('^(%d+) ?(.*)$')
	local lanes = {}
	for lane in rest:gmatch('%S+') do lanes[#lanes + 1] = lane end
	return { max = tonumber(max), lanes = lanes, text = rest }
end

local function offer_of(person) return parsed(parse_offer, get('offer', person) or '0') end

-- Why nobody gets anything right now, or nil. Opening by name asks for no gate and no pause.
local function closed(opening)
	if M.mode ~= 0 then return { 'no', 'embargo', '0', '' } end
	if opening then return nil end
	if M.paused == '1' then return { 'no', 'paused', '0', '', M.paused_by } end
	if tonumber(M.gate) > NOW_MS then return { 'no', 'closed-until', M.gate, '' } end
	if M.shut ~= '0' and tonumber(M.shut) <= NOW_MS then return { 'no', 'closed-until', '0', '' } end
	return nil
end

local UPTO -- ob -> the newest record that this call took in

local function upto_of(ob) return UPTO[ob] or tonumber(call('HGET', P .. 'ob:' .. ob, 'upto') or '0') end

local B = {} -- entries of hf1_broker

-- The first lane in the order of the offer that has a case due.
function B.grant(ob, person, no, seq)
	ob = hex(bytes('ob', ob, 16))
	name_arg('person', person)
	no = count('next_no', no)
	if seq and seq ~= '' and upto_of(ob) < count('seq', seq) then
		return { 'no', 'skipped', '0', '' }
	end
	local r = replay(ob, person, no)
	if r then return r end
	if not may_work(person) then return { 'no', 'unqualified', '0', '' } end
	local offer = offer_of(person)
	local lanes = offer.lanes
	r = closed(false)
	if r then
		r[4] = offer.text
		return r
	end
	if hand_counts(person) > 0 then return { 'no', 'limit', '0', '' } end
	local next_due = nil
	for i = 1, #lanes do
		local case, due = first_of(lanes[i])
		if due and due <= NOW_MS then
			local ok, s = pcall(load, case)
			if not ok or not s then
				zput('lane:' .. lanes[i], case, false)
				zput('lane:parked', case, '0')
				append('poison', case, '', lanes[i])
				error('poison', 0)
			end
			hold(case, s, person, ob, true)
			append('grant', case, bump(case, s),
			    person .. ' ' .. ob .. ' ' .. num(no) .. ' 1 ' .. s.lane)
			remember(ob, person, no, case, s.token)
			return grant_reply(case, s)
		end
		if due and (not next_due or due < next_due) then next_due = due end
	end
	return { 'no', 'empty', next_due and num(next_due) or '0', offer.text }
end

local function may_take(s, person, allowed)
	if s.owner == person or s.lane:sub(1, #person + 5) == 'own:' .. person .. ':' then return true end
	for pattern in allowed:gmatch('%S+') do
		if pattern == s.lane or (pattern:sub(-1) == '*' and s.lane:sub(1, #pattern - 1) == pattern:sub(1, -2)) then
			return true
		end
	end
	return false
end

-- One named case. allowed: lanes, separated by spaces, a trailing * stands for anything.
function B.take(ob, person, no, case, allowed)
	ob = hex(bytes('ob', ob, 16))
	name_arg('person', person)
	no = count('next_no', no)
	bytes('case', case, 16)
	text_arg('lanes', allowed, 400)
	local r = replay(ob, person, no) or closed(true)
	if r then return r end
	local s = load(case)
	if not s then return { 'no', 'not-found', '0', '' } end
	if not may_take(s, person, allowed) then return { 'no', 'denied', '0', '' } end
	if s.held then return { 'no', 'held', '0', '', s.hand } end
	if s.lane == 'terminal' then return { 'no', 'closed-case', '0', '' } end
	if s.lane == 'doubt' then return { 'no', 'embargo', '0', '' } end
	local _, opened = hand_counts(person)
	if opened >= math.max(offer_of(person).max, 1) then return { 'no', 'limit', '0', '' } end
	hold(case, s, person, ob, false)
	append('grant', case, bump(case, s), person .. ' ' .. ob .. ' ' .. num(no) .. ' 0 ' .. s.lane)
	remember(ob, person, no, case, s.token)
	return grant_reply(case, s)
end

function B.renew(ob, case, token, rseq)
	ob = hex(bytes('ob', ob, 16))
	bytes('case', case, 16)
	token_arg(token)
	rseq = count('rseq', rseq)
	local s = load(case)
	if not holds(s, token, ob) then return { 'no', lost_reason(s, token) } end
	if rseq >= s.rseq then -- a greater one is from before a store was lost
		s.rseq = rseq + 1
		save(case, s)
		changed()
	end
	return { 'ok', num(s.rseq) }
end

function B.giveback(ob, case, token, reason)
	ob = hex(bytes('ob', ob, 16))
	bytes('case', case, 16)
	token_arg(token)
	word_arg('reason', reason)
	local s = load(case)
	if not holds(s, token, ob) then return { 'no', lost_reason(s, token) } end
	give_up(case, s, 'g', 'giveback', reason)
	return { 'ok' }
end

-- Compare-and-set of an observer that has watched (token, rseq) long enough.
function B.expire(case, token, rseq)
	bytes('case', case, 16)
	token_arg(token)
	rseq = count('rseq', rseq)
	local s = load(case)
	if not s or not s.held or s.token ~= token or s.rseq ~= rseq then return { 'no' } end
	give_up(case, s, 'x', 'expire', 'silent')
	return { 'ok', s.lane }
end

function B.leases(from)
	settle()
	local all = call('ZRANGEBYLEX', P .. 'leases', from == '' and '-' or '(' .. from, '+', 'LIMIT', 0, 200)
	local r, cases = { 'ok' }, {}
	for i = 1, #all do cases[i] = all[i]:sub(17) end
	read_ahead('cases', cases)
	for i = 1, #all do
		local token, case = all[i]:sub(1, 16), cases[i]
		local ok, s = pcall(load, case)
		r[#r + 1] = token
		r[#r + 1] = case
		r[#r + 1] = ok and s and num(s.rseq) or '0'
	end
	return r
end

-- ---- records ---------------------------------------------------------------------------------------

local QUIET = { ['25'] = true, ['29'] = true } -- REVEAL, TIMER: not shown among the last records

local function be32(n)
	if n < 65536 then return char(0, 0, floor(n / 256), n % 256) end
	return char(floor(n / 16777216) % 256, floor(n / 65536) % 256, floor(n / 256) % 256, n % 256)
end

local function be64(n) return be32(floor(n / 4294967296)) .. be32(n % 4294967296) end

-- EFFECTIVE '0', LATE '1', QUARANTINED '2', and why.
local function judge(s, r)
	if r.bits[8] then return '2', r.why end
	if r.case == '' then return '0', '-' end
	if not s then return '2', 'case' end
	if r.token == ZERO then
		if r.bits[1] then return '2', 'token' end
		if r.bits[32] and s.owner ~= r.person then return '2', 'role' end
		if r.expect ~= 0 and r.expect ~= s.version then return '1', 'stale' end
		return '0', '-'
	end
	if s.token == r.token then
		if s.ob ~= r.ob or (s.held and s.hand ~= r.person) then return '2', 'token' end
		if flagged(s, 'm') then return '1', 'moved' end
		return '0', '-'
	end
	local nobody_since = M.mode == 1 or (s.lane == 'doubt' and not s.held)
	if nobody_since and r.token > s.token and r.token:sub(1, 6) < format('%06x', M.epoch) then
		return '0', 'readmitted'
	end
	return '1', 'granted-on'
end

-- What an effective record does to its case. Nothing is decided here: the router places it.
local function apply(s, r)
	if r.token ~= ZERO then
		if s.token ~= r.token then -- after a lost store: the lease is newer than what was saved
			s.token, s.ob = r.token, r.ob
		end
		if r.bits[4] and s.owner == '-' and s.lane == 'pool' then set_owner(r.case, s, r.person) end
		s.given = 0
		if s.held and r.bits[16] then -- another try follows; whatever ends the lease, the law looks again
			flag(s, 't', true)
			return
		end
		if s.held then unhold(r.case, s, 'd') else leave(r.case, s) end
		flag(s, 'd', true)
		enter(r.case, s, unless_in_doubt(s, 'triage'), NOW)
	elseif s.held then
		flag(s, 't', true)
		flag(s, 'a', true)
	else
		if s.lane == 'parked' then s.given = 0 end -- a person looked: it begins anew
		leave(r.case, s)
		flag(s, 'm', true)
		enter(r.case, s, r.bits[64] and 'triage' or unless_in_doubt(s, 'triage'), NOW)
	end
end

local function freeze(obkey, ob)
	call('HSET', obkey, 'frozen', '1')
	append('frozen', '', '', ob)
	return { 'no', 'equivocation' }
end

local function record(ob, seq, prev_h, h, person, kind, flags, case, token, expect, f0, f1, header, why)
	local r = { ob = hex(bytes('ob', ob, 16)), person = name_arg('person', person), bits = bits_of(count('flags', flags)),
	    case = case == '' and '' or bytes('case', case, 16), token = token_arg(token),
	    expect = count('expect', expect), why = why and why ~= '' and word_arg('why', why) or 'schema' }
	seq = count('seq', seq)
	count('kind', kind)
	bytes('prev_h', prev_h, 32)
	bytes('h', h, 32)
	text_arg('f0', f0, 1024)
	text_arg('f1', f1, 65536)
	text_arg('header', header, 768)
	local obkey = P .. 'ob:' .. r.ob
	local o = call('HMGET', obkey, 'upto', 'h', 'frozen')
	if not o[1] then return { 'no', 'unknown' } end
	if o[3] == '1' then return { 'no', 'frozen' } end
	if M.mode == 2 then return { 'no', 'halted' } end
	local upto, seq_text = tonumber(o[1]), num(seq)
	if seq <= upto then
		local was = call('HGET', obkey, 'v:' .. seq_text)
		if not was then return { 'no', 'gap', num(upto + 1) } end
		if was:sub(1, 32) ~= h then return freeze(obkey, r.ob) end
		local verdict, opseq, said = was:sub(33):match('^(%d) (%d+) (%S+)$')
		return { 'ok', verdict, said, opseq, '' }
	end
	if seq ~= upto + 1 then return { 'no', 'gap', num(upto + 1) } end
	if prev_h ~= o[2] then return freeze(obkey, r.ob) end
	local s = r.case ~= '' and load(r.case) or nil
	local verdict, said = judge(s, r)
	local state = ''
	if verdict == '0' and s and r.bits[2] then
		apply(s, r)
		state = bump(r.case, s)
	end
	append('record', r.case, state, r.ob .. ' ' .. seq_text .. ' ' .. verdict .. ' ' .. said .. ' ' .. person .. ' ' .. kind,
	    'r', f0, 'b', f1)
	local at = M.opseq_text
	call('HSET', obkey, 'upto', seq_text, 'h', h, 'v:' .. seq_text, h .. verdict .. ' ' .. at .. ' ' .. said)
	UPTO[r.ob] = seq
	if M.doubt == '1' then
		local a = call('HMGET', obkey, 'agent', 'head')
		if a[2] and seq >= tonumber(a[2]) then came_back(a[1]) end
	end
	if s and verdict ~= '2' and not QUIET[kind] then
		local list = P .. 'last:' .. hex(r.case)
		if call('LPUSH', list, ob .. be64(seq) .. be32(#header) .. header .. f1) > 5 then
			call('LTRIM', list, '0', '4')
		end
	end
	return { 'ok', verdict, said, at, s and s.lane or '' }
end

B.record = record

-- ---- sessions --------------------------------------------------------------------------------------

local function ob_reply(obkey)
	local o = call('HMGET', obkey, 'upto', 'h', 'settled', 'released', 'receipt1', 'receipt2')
	return { 'ok', o[1], o[2], o[3] or '0', o[4] or '0', o[5] or '', o[6] or '' }
end

-- What every record asks for comes first: small hashes are searched from their beginning.
local function register(obkey, ob, agent)
	call('HSET', obkey, 'upto', '0', 'h', string.rep('\0', 32), 'frozen', '0', 'agent', agent)
	append('outbox', '', '', ob .. ' ' .. agent)
end

-- After a lost store: the lease of an older epoch goes on, unless somebody has the case, or an act moved it.
local function readmit(ob, case, token, person, s)
	local pulled = hand_counts(person) == 0
	leave(case, s)
	s.token, s.rseq, s.hand, s.ob, s.held = token, 0, person, ob, true
	s.flags = pulled and 'hp' or 'h'
	zput('leases', token .. case, '0')
	hand_add(person, case, token, pulled, ob)
	append('readmit', case, bump(case, s), person .. ' ' .. ob)
end

-- What a lease ticket is worth now: 0 kept, 1 readmitted, 2 lost.
local function ticket(ob, case, token, person)
	bytes('case', case, 16)
	token_arg(token)
	name_arg('person', person)
	local s = load(case)
	if holds(s, token, ob) then return '0' end
	local fits = s and M.mode == 1 and M.doubt == '1' and not s.held and s.lane == 'doubt'
	    and token:sub(1, 6) < format('%06x', M.epoch)
	    and (token > s.token or (token == s.token and s.ob == ob and not flagged(s, 'm') and not flagged(s, 'd')))
	if not fits then return '2' end
	readmit(ob, case, token, person, s)
	return '1'
end

function B.hello(ob, agent, head_seq, head_h, ...)
	local raw = bytes('ob', ob, 16)
	ob = hex(raw)
	if #agent ~= 32 or not agent:match('^[0-9a-f]+$') then error('agent: wants hex32', 0) end
	head_seq = count('head_seq', head_seq)
	bytes('head_h', head_h, 32)
	local rest = { ... }
	local n = count('persons', rest[1])
	local m = count('tickets', rest[n + 2])
	if n > 64 or m > 320 or #rest ~= n + 2 + 3 * m then error('hello: counts', 0) end
	for i = 2, n + 1 do name_arg('person', rest[i]) end
	local row = call('HGET', P .. 'agents', agent)
	if not row or row:sub(-6) ~= 'active' then return { 'no', 'revoked' } end
	local obkey = P .. 'ob:' .. ob
	local o = call('HMGET', obkey, 'agent', 'upto', 'h', 'frozen')
	if o[1] and o[1] ~= agent then return { 'no', 'agent' } end
	if o[4] == '1' then return { 'no', 'frozen' } end
	if o[1] then
		local upto = tonumber(o[2])
		if head_seq < upto or (head_seq == upto and head_h ~= o[3]) then return { 'no', 'clone' } end
	else
		register(obkey, ob, agent)
	end
	for i = 2, n + 1 do call('HSET', obkey, 'p:' .. rest[i], '1') end
	local r = ob_reply(obkey)
	r[#r + 1] = num(m)
	for i = n + 3, #rest, 3 do r[#r + 1] = ticket(ob, rest[i], rest[i + 1], rest[i + 2]) end
	if M.doubt == '1' then
		call('HSET', obkey, 'head', num(head_seq))
		if tonumber(r[2]) >= head_seq then came_back(agent) end
	end
	for i = 2, n + 1 do
		local hand = hand_of(rest[i])
		for j = 1, #hand, HAND do
			local case, where = hand:sub(j, j + 15), hand:sub(j + 33, j + 64)
			local s = where == ob and load(case)
			if s then
				for _, v in ipairs({ case, hand:sub(j + 16, j + 31), num(s.rseq), rest[i], hand:sub(j + 32, j + 32) }) do
					r[#r + 1] = v
				end
			end
		end
	end
	return r
end

function B.sync(ob)
	local obkey = P .. 'ob:' .. hex(bytes('ob', ob, 16))
	if not call('HGET', obkey, 'agent') then return { 'no', 'unknown' } end
	return ob_reply(obkey)
end

-- Has this person ever logged in on this outbox?
function B.knows(ob, person)
	name_arg('person', person)
	return { call('HGET', P .. 'ob:' .. hex(bytes('ob', ob, 16)), 'p:' .. person) and 'ok' or 'no' }
end

-- A broker's first entry on a connection: is this the store that it knew?
-- other: '1' when the log lacks the newest entry that the broker read, or says something else there.
-- fresh: '1' when it saw that opseq before Redis was started the last time; what others wrote since proves nothing.
function B.attach(run_id, incarnation, epoch, opseq, other, fresh)
	text_arg('run_id', run_id, 64)
	epoch, opseq = count('epoch', epoch), count('opseq', opseq)
	local was, first = M.mode, M.run_id == ''
	local reached = fresh == '1' and epoch == M.epoch and tonumber(M.life_opseq) or M.opseq
	local older = incarnation ~= '' and (incarnation ~= M.incarnation or epoch > M.epoch or opseq > reached
	    or other == '1')
	if older then
		M.mode = 2
		M.why = 'store-regressed'
	elseif M.run_id ~= run_id then
		M.run_id = run_id
		if M.mode == 0 and incarnation == '' and not first then M.mode = 1 end
		M.dirty = true
	elseif M.mode == 1 and M.doubt ~= '1' and incarnation ~= '' and epoch == M.epoch then
		M.mode = 0
	end
	if was ~= M.mode then append('mode', '', '', num(M.mode) .. ' attach') end
	return { 'ok', M.incarnation, num(M.mode), older and 'older' or '' }
end

-- An observer has waited lease + guard since the store came back: nobody can hold what it does not know.
function B.lift()
	if M.mode == 1 then
		M.mode = 0
		append('mode', '', '', '0 lift')
		settle_doubt('back')
	end
	return { 'ok' }
end

-- ---- evidence: sealed files in pieces, until the archive has them ----------------------------------

local PIECE_MAX, EVIDENCE_MAX = 65536, 10485760 + 40

local function blob_key(hash) return P .. 'blob:' .. hash end

local function blob_bytes() return tonumber(call('HGET', P .. 'blobs', 'bytes') or '0') end

-- Nothing of it stays but the word that says what it is now, or nothing.
local function blob_forget(hash, word)
	local upto = tonumber(call('HGET', blob_key(hash), 'upto') or '0')
	call('DEL', blob_key(hash))
	call('SREM', P .. 'blobq', hash)
	call('ZREM', P .. 'blobp', hash)
	call('HSET', P .. 'blobs', 'bytes', num(blob_bytes() - upto))
	if word then call('HSET', P .. 'blobs', hash, word) else call('HDEL', P .. 'blobs', hash) end
	changed()
end

-- One piece; the answer is how much is here. No bytes: only asks. room: what all pieces may take together.
function B.blob(hash, size, offset, piece, room)
	hash = hex(bytes('hash', hash, 32))
	size, offset, room = count('size', size), count('offset', offset), count('room', room)
	text_arg('piece', piece, PIECE_MAX)
	if size < 1 or size > EVIDENCE_MAX then error('size: 1 to ' .. EVIDENCE_MAX, 0) end
	local is = call('HGET', P .. 'blobs', hash)
	if is and is ~= 'here' then
		return is == num(size) and { 'ok', is } or { 'no', 'size' }
	end
	local o = call('HMGET', blob_key(hash), 'size', 'upto')
	if o[1] and o[1] ~= num(size) then return { 'no', 'size' } end
	local upto = tonumber(o[2] or '0')
	if #piece == 0 or offset ~= upto then return { 'ok', num(upto) } end
	if upto + #piece > size then return { 'no', 'size' } end
	if blob_bytes() + #piece > room then return { 'no', 'room' } end
	call('HSET', blob_key(hash), num(upto), piece, 'size', num(size), 'upto', num(upto + #piece))
	call('HSET', P .. 'blobs', hash, 'here', 'bytes', num(blob_bytes() + #piece))
	upto = upto + #piece
	if upto == size then
		call('ZREM', P .. 'blobp', hash)
		call('SADD', P .. 'blobq', hash)
		append('blob', '', '', hash .. ' ' .. num(size))
	else
		call('ZADD', P .. 'blobp', NOW, hash)
		changed()
	end
	return { 'ok', num(upto) }
end

-- ---- looking: reads only ---------------------------------------------------------------------------

local LAST_SHOWN = 2048  -- bytes: a longer newest record is seen when the case is opened

local function rows(cases)
	read_ahead('cases', cases)
	read_ahead('tasks', cases)
	local r = { 'ok', num(#cases) }
	for i = 1, #cases do
		local ok, s = pcall(load, cases[i])
		if ok and s then
			local last = call('LRANGE', P .. 'last:' .. hex(cases[i]), '0', '0')[1] or ''
			for _, v in ipairs({ cases[i], s.held and 'hand:' .. s.hand or s.lane, s.due, num(s.version), s.owner,
			    get('tasks', cases[i]) or '', s.why, s.blob, #last <= LAST_SHOWN and last or '' }) do r[#r + 1] = v end
		end
	end
	return r
end

local function page_of(all, page)
	local out = {}
	for i = page * PAGE + 1, math.min((page + 1) * PAGE, #all) do out[#out + 1] = all[i] end
	return out
end

function B.own(person, page)
	name_arg('person', person)
	local all = call('SMEMBERS', P .. 'owned:' .. person)
	table.sort(all)
	local r = rows(page_of(all, count('page', page)))
	r[2] = num(math.ceil(#all / PAGE))
	return r
end

function B.lane(lane, page)
	lane_arg(lane)
	page = count('page', page)
	settle()
	local r = rows(call('ZRANGE', P .. 'lane:' .. lane, page * PAGE, (page + 1) * PAGE - 1))
	r[2] = num(math.ceil(call('ZCARD', P .. 'lane:' .. lane) / PAGE))
	return r
end

function B.case(case)
	bytes('case', case, 16)
	local s = load(case)
	if not s then return { 'no', 'not-found' } end
	local last = call('LRANGE', P .. 'last:' .. hex(case), '0', '4')
	local r = { 'ok', text_of(s), s.blob, get('tasks', case) or '', num(#last) }
	for i = 1, #last do r[#r + 1] = last[i] end
	return r
end

function B.number(index)
	local all = call('SMEMBERS', P .. 'num:' .. hex(bytes('index', index, 8)))
	table.sort(all)
	return rows(page_of(all, 0))
end

function B.me(person)
	name_arg('person', person)
	local pulled, opened = hand_counts(person)
	local offer = offer_of(person)
	local book = ' ' .. (call('HGET', P .. 'router', 'book') or '')
	return { 'ok', get('persons', person) or '', num(pulled), num(opened), num(offer.max), offer.text, M.gate,
	    num(M.mode), M.paused, M.paused_by, M.paused_why, book:match(' stage=(%d+)') or '0',
	    book:match(' pass=(%d+)') or '0', book:match(' pass_end=(%d+)') or '0' }
end

-- ---- the router's entries --------------------------------------------------------------------------

local R = { record = record }

-- opseq: what a lost store had counted at least. loading 1: nothing but restore… is done until `restored`.
function R.open(epoch, incarnation, why, mode, opseq, loading)
	epoch = count('epoch', epoch)
	if #incarnation ~= 32 or not incarnation:match('^[0-9a-f]+$') then error('incarnation: wants hex32', 0) end
	text_arg('why', why, 64)
	if epoch < 1 or epoch > 8191 or epoch <= M.epoch then return { 'no', 'epoch', num(M.epoch) } end
	M.epoch, M.incarnation, M.mode, M.tokno = epoch, incarnation, count('mode', mode or '0'), 0
	M.dirty = true
	if opseq and count('opseq', opseq) > M.opseq then M.opseq = tonumber(opseq) end
	if loading == '1' then M.loading = '1' end
	append('epoch', '', '', num(epoch) .. ' ' .. incarnation .. ' ' .. why)
	return { 'ok' }
end

function R.halt(why)
	text_arg('why', why, 64)
	if M.mode == 2 then return { 'ok' } end
	M.mode, M.why = 2, why
	append('mode', '', '', '2 ' .. why)
	return { 'ok' }
end

local function describe(case, task, indexes)
	put('tasks', case, task)
	for i = 1, #indexes, 8 do call('SADD', P .. 'num:' .. hex(indexes:sub(i, i + 7)), case) end
end

-- A roster that names a known case again: new particulars, nothing else moves.
local function again(case, s, task, indexes)
	if get('tasks', case) == task then return { 'ok', 'same' } end
	describe(case, task, indexes)
	append('create', case, bump(case, s), s.lane, 'k', task, 'l', s.blob, 'n', indexes)
	return { 'ok', 'updated' }
end

function R.create(case, lane, due, task, blob, owner, indexes)
	bytes('case', case, 16)
	lane_arg(lane)
	due_arg(due)
	text_arg('task', task, 65536)
	text_arg('blob', blob, 200)
	if owner ~= '-' then name_arg('owner', owner) end
	if #indexes % 8 ~= 0 or #indexes > 8 * 16 then error('indexes: wants 8 bytes each', 0) end
	local old = load(case)
	if old then return again(case, old, task, indexes) end
	local s = { version = 1, owner = '-', hand = '-', token = ZERO, rseq = 0, given = 0, flags = '', ob = '-',
	    law_at = '0-0', why = 'new', blob = blob, held = false }
	set_owner(case, s, owner)
	enter(case, s, lane, due)
	describe(case, task, indexes)
	append('create', case, save(case, s), lane, 'k', task, 'l', blob, 'n', indexes)
	return { 'ok', 'created' }
end

-- Compare-and-set on the version. While somebody holds the case only the law's memory moves.
function R.place(case, version, law_at, blob, lane, due, reason, text, owner)
	bytes('case', case, 16)
	version = count('version', version)
	id_arg(law_at)
	text_arg('blob', blob, 200)
	if lane then
		lane_arg(lane)
		due_arg(due)
		word_arg('reason', reason)
		text_arg('text', text, 200)
		if owner ~= '' and owner ~= '-' then name_arg('owner', owner) end
	end
	local s = load(case)
	if not s then return { 'no', 'not-found' } end
	if s.version ~= version then return { 'no', 'version', num(s.version) } end
	s.blob, s.law_at = blob, law_at
	if s.held then flag(s, 't', true) end -- it was handed out by an older memory: the law looks first
	local doubtful = lane and lane ~= 'doubt' and unless_in_doubt(s, lane) == 'doubt'
	if doubtful then lane = nil end
	if lane and not s.held then
		leave(case, s)
		if owner ~= '' then set_owner(case, s, owner) end
		enter(case, s, lane, due)
		s.why = reason
	end
	append('place', case, bump(case, s), lane and reason .. ' ' .. text or '-', 'l', blob)
	return { 'ok', num(s.version), s.held and 'held' or doubtful and 'doubt' or 'placed' }
end

function R.offer(person, max, ...)
	name_arg('person', person)
	local text = num(count('max', max))
	for _, lane in ipairs({ ... }) do text = text .. ' ' .. lane_arg(lane) end
	if get('offer', person) == text then return { 'ok', 'same' } end
	put('offer', person, text)
	append('offer', '', '', person .. ' ' .. text)
	return { 'ok', 'new' }
end

function R.admit_agent(agent, curve_pk, sign_pk, state)
	if not (agent:match('^%x+$') and #agent == 32 and curve_pk:match('^%x+$') and #curve_pk == 64 and
	    sign_pk:match('^%x+$') and #sign_pk == 64 and (state == 'active' or state == 'revoked')) then
		error('agent: wants hex32 hex64 hex64 state', 0)
	end
	local row = curve_pk .. ' ' .. sign_pk .. ' ' .. state
	if call('HGET', P .. 'agents', agent) == row then return { 'ok', 'same' } end
	call('HSET', P .. 'agents', agent, row)
	append('agent', '', '', agent .. ' ' .. row)
	if state == 'revoked' then came_back(agent) end
	return { 'ok', 'new' }
end

function R.admit_person(person, roles, team, qualified, pk, active)
	name_arg('person', person)
	if team ~= '-' then name_arg('team', team) end
	if not (pk == '-' or (#pk == 64 and pk:match('^%x+$'))) then error('pk: wants hex64 or -', 0) end
	if not (qualified:match('^[01]$') and active:match('^[01]$')) then error('qualified, active: 0 or 1', 0) end
	local row = num(count('roles', roles)) .. ' ' .. team .. ' ' .. qualified .. ' ' .. pk .. ' ' .. active
	if get('persons', person) == row then return { 'ok', 'same' } end
	put('persons', person, row)
	append('person', '', '', person .. ' ' .. row)
	return { 'ok', 'new' }
end

function R.number(case, index)
	bytes('case', case, 16)
	call('SADD', P .. 'num:' .. hex(bytes('index', index, 8)), case)
	append('number', case, '', hex(index), 'n', index)
	return { 'ok' }
end

-- More words: field, value, … of what else the router wants to find again (its book, the policy's text). They
-- are logged, so that they outlive this store.
function R.cursor(router, id, ...)
	name_arg('router', router)
	local set, rest = { 'cursor', id_arg(id) }, { ... }
	if #rest % 2 ~= 0 or #rest > 8 then error('cursor: wants pairs', 0) end
	for i = 1, #rest, 2 do
		set[#set + 1] = word_arg('field', rest[i])
		set[#set + 1] = text_arg('value', rest[i + 1], 262144)
	end
	for i = 1, #rest, 2 do append('keep', '', '', rest[i] .. ' ' .. id, 'k', rest[i + 1]) end
	call('HSET', P .. 'router', unpack(set))
	changed()
	return { 'ok' }
end

-- Which router is at work: compare-and-set of a text that its holder changes all the time. Whoever watched
-- the same text long enough on its own clock may put its own there.
function R.lead(seen, mine)
	text_arg('seen', seen, 80)
	text_arg('mine', mine, 80)
	local now = call('HGET', P .. 'router', 'lead') or ''
	if now ~= seen or mine == '' then return { 'no', now } end
	call('HSET', P .. 'router', 'lead', mine)
	changed()
	return { 'ok', mine }
end

-- shut: when it closes again by itself, so that a router that is away leaves no door open; 0 never.
function R.gate(until_ms, shut_ms)
	local v, shut = due_arg(until_ms), due_arg(shut_ms or '0')
	if v == M.gate and shut == M.shut then return { 'ok', 'same' } end
	M.gate, M.shut, M.dirty = v, shut, true
	append('gate', '', '', v .. ' ' .. shut)
	return { 'ok', 'new' }
end

function R.pause(on, by, why)
	if on ~= '0' and on ~= '1' then error('pause: 0 or 1', 0) end
	by, why = by or '', why or ''
	if by ~= '' then name_arg('by', by) end
	text_arg('why', why, 48)
	if on == M.paused then return { 'ok', 'same' } end
	M.paused, M.paused_by, M.paused_why, M.dirty = on, by, why, true
	append('pause', '', '', by == '' and on or on .. ' ' .. by, 'k', why)
	return { 'ok', 'new' }
end

-- The router's own outbox: registered without HELLO.
function R.ob(ob, agent)
	ob = hex(bytes('ob', ob, 16))
	if #agent ~= 32 or not agent:match('^%x+$') then error('agent: wants hex32', 0) end
	local obkey = P .. 'ob:' .. ob
	if not call('HGET', obkey, 'agent') then
		register(obkey, ob, agent)
	end
	return ob_reply(obkey)
end

-- ---- after a lost store: what PostgreSQL knew ----------------------------------------------------

-- A case as it was known, at a version that the lost store cannot have reached. Whatever is not closed is in
-- doubt. last: its newest records, oldest first.
function R.restore_case(case, text, blob, task, indexes, ...)
	bytes('case', case, 16)
	text_arg('blob', blob, 200)
	text_arg('task', task, 65536)
	if #indexes % 8 ~= 0 then error('indexes: wants 8 bytes each', 0) end
	put('cases', case, text_arg('state', text, 512) .. blob)
	local s, last = load(case), { ... }
	local owner, acted, closed_case = s.owner, flagged(s, 'a'), s.lane == 'terminal' and not s.held
	s.version = M.epoch * 1000000000 + s.version % 1000000000
	s.owner = '-'
	set_owner(case, s, owner)
	if s.held then
		s.hand, s.held = '-', false
		s.flags = 'x' .. (flagged(s, 'm') and 'm' or '')
	end
	flag(s, 't', false)
	flag(s, 'a', false)
	if acted then flag(s, 'm', true) end
	if closed_case then enter(case, s, s.lane, s.due) else enter(case, s, 'doubt', NOW) end
	describe(case, task, indexes)
	for i = 1, #last do call('LPUSH', P .. 'last:' .. hex(case), text_arg('last', last[i], 70000)) end
	append('restore', case, save(case, s), s.lane)
	return { 'ok' }
end

-- An outbox and how far it is recorded; then of each record that may be asked for again: seq, h, verdict, opseq, why.
function R.restore_ob(ob, agent, upto, h, frozen, ...)
	ob = hex(bytes('ob', ob, 16))
	if #agent ~= 32 or not agent:match('^%x+$') then error('agent: wants hex32', 0) end
	local obkey, said = P .. 'ob:' .. ob, { ... }
	if #said % 5 ~= 0 then error('answers: wants fives', 0) end
	call('HSET', obkey, 'upto', num(count('upto', upto)), 'h', bytes('h', h, 32), 'frozen', frozen == '1' and '1' or '0',
	    'agent', agent)
	for i = 1, #said, 5 do
		call('HSET', obkey, 'v:' .. num(count('seq', said[i])), bytes('h', said[i + 1], 32) .. num(count('verdict',
		    said[i + 2])) .. ' ' .. num(count('opseq', said[i + 3])) .. ' ' .. said[i + 4])
	end
	append('outbox', '', '', ob .. ' ' .. agent)
	return { 'ok' }
end

-- All is there: agents may come. until: when the doubt ends at the latest, 0 never; then whom to wait for.
function R.restored(until_ms, ...)
	if M.loading ~= '1' then return { 'no', 'open' } end
	M.doubt_until = due_arg(until_ms)
	local agents = { ... }
	for i = 1, #agents do
		if #agents[i] ~= 32 or not agents[i]:match('^%x+$') then error('agent: wants hex32', 0) end
	end
	in_chunks('SADD', P .. 'awaited', agents)
	M.loading, M.doubt, M.mode, M.dirty = '0', '1', 1, true
	append('doubt', '', '', '1 ' .. until_ms)
	return { 'ok' }
end

-- An operator says that this agent (or every one, *) has nothing in hand and nothing unsent.
function R.excuse(agent)
	if agent == '*' then
		call('DEL', P .. 'awaited')
	elseif call('SREM', P .. 'awaited', agent) ~= 1 then
		return { 'no', 'unknown' }
	end
	append('excused', '', '', agent)
	settle_doubt('excused')
	return { 'ok' }
end

-- The router's look at the clock.
function R.doubt_over() return settle_doubt('time') and { 'ok' } or { 'no' } end

-- ---- the recorder's entries ------------------------------------------------------------------------

local S = {}

-- An agent has at most 64 records on their way, so it may ask for the answers of the newest 64 once more, whatever
-- became of them meanwhile; older ones it has heard.
local ASKED_AGAIN = 64

local function forget_answers(obkey, released, newest, forgot)
	local to = math.min(released, newest - ASKED_AGAIN, forgot + 4000)
	for i = forgot + 1, to do call('HDEL', obkey, 'v:' .. num(i)) end
	if to > forgot then call('HSET', obkey, 'forgot', num(to)) end
end

-- Monotone: an older mark changes nothing.
function S.mark(ob, level, upto, h, receipt)
	local obhex = hex(bytes('ob', ob, 16))
	level, upto = count('level', level), count('upto', upto)
	bytes('h', h, 32)
	text_arg('receipt', receipt, 1024)
	if level ~= 1 and level ~= 2 then error('level: 1 or 2', 0) end
	local obkey = P .. 'ob:' .. obhex
	local field = level == 1 and 'settled' or 'released'
	local o = call('HMGET', obkey, 'upto', field, 'forgot')
	if not o[1] then return { 'no', 'unknown' } end
	local was = tonumber(o[2] or '0')
	if upto > tonumber(o[1]) then return { 'no', 'ahead', o[1] } end
	if upto <= was then return { 'ok', 'same' } end
	call('HSET', obkey, field, num(upto), field .. '_h', h, 'receipt' .. num(level), receipt)
	if level == 2 then forget_answers(obkey, upto, tonumber(o[1]), tonumber(o[3] or was)) end
	append('mark', '', '', obhex .. ' ' .. num(level) .. ' ' .. num(upto), 'k', receipt)
	return { 'ok', 'new' }
end

-- Forgetting is allowed up to the router's cursor at most.
function S.trim(id)
	id_arg(id)
	local cursor = call('HGET', P .. 'router', 'cursor')
	if not cursor or not id_not_after(id, cursor) then return { 'no', 'cursor', cursor or '' } end
	changed()
	return { 'ok', num(call('XTRIM', P .. 'log', 'MINID', id)) }
end

-- This store is older than what was recorded of it: nothing more is granted or taken.
S.halt = R.halt

function S.recorded(id)
	call('HSET', P .. 'recorder', 'recorded', id_arg(id))
	changed()
	return { 'ok' }
end

-- Which files are whole and not in the archive yet; some of them.
function S.blobs()
	local all = call('SMEMBERS', P .. 'blobq')
	table.sort(all)
	local r = { 'ok' }
	for i = 1, min(#all, 20) do r[i + 1] = all[i] end
	return r
end

-- The piece that begins at offset, and the size of the whole.
function S.blob_read(hash, offset)
	hash = hex(bytes('hash', hash, 32))
	local o = call('HMGET', blob_key(hash), 'size', num(count('offset', offset)))
	if not o[1] or not o[2] then return { 'no', 'not-found' } end
	return { 'ok', o[1], o[2] }
end

-- The archive has it. Its size is remembered, so that who sends it again hears that it is here.
function S.blob_kept(hash, size)
	hash = hex(bytes('hash', hash, 32))
	size = num(count('size', size))
	if call('HGET', P .. 'blobs', hash) == size then return { 'ok', 'same' } end
	blob_forget(hash, size)
	return { 'ok', 'new' }
end

-- Its bytes are not what the hash says: it begins anew.
function S.blob_drop(hash)
	blob_forget(hex(bytes('hash', hash, 32)), false)
	return { 'ok' }
end

-- Those that nobody has gone on with since that campaign time.
function S.blob_stale(before)
	before = count('before', before)
	local all, n = call('ZRANGE', P .. 'blobp', '0', '19', 'WITHSCORES'), 0
	for i = 1, #all, 2 do
		if tonumber(all[i + 1]) < before then
			blob_forget(all[i], false)
			n = n + 1
		end
	end
	return { 'ok', num(n) }
end

-- ---- the batch -------------------------------------------------------------------------------------

local META = { 'epoch', 'incarnation', 'mode', 'opseq', 'logno', 'tokno', 'run_id', 'gate', 'paused', 'why',
    'paused_by', 'paused_why', 'loading', 'doubt', 'doubt_until', 'shut', 'life_opseq', 'life_logno' }

local function load_meta()
	local v = call('HMGET', P .. 'meta', unpack(META))
	M = { epoch = tonumber(v[1] or '0'), incarnation = v[2] or '', mode = tonumber(v[3] or '0'),
	    opseq = tonumber(v[4] or '0'), logno = tonumber(v[5] or '0'), tokno = tonumber(v[6] or '0'),
	    run_id = v[7] or '', gate = v[8] or '0', paused = v[9] or '0', why = v[10] or '',
	    paused_by = v[11] or '', paused_why = v[12] or '', loading = v[13] or '0', doubt = v[14] or '0',
	    doubt_until = v[15] or '0', shut = v[16] or '0', life_opseq = v[17] or '0', life_logno = v[18] or '0' }
	M.before, M.was_mode = M.opseq, M.mode
	if not BEGUN[P] and M.epoch ~= 0 then -- Redis began, or the library anew: how far this store had come by itself
		M.life_opseq, M.life_logno, M.dirty, BEGUN[P] = num(M.opseq), num(M.logno), true, true
	end
end

local function save_meta()
	if M.opseq == M.before and not M.dirty then return end
	if not M.dirty and M.mode == M.was_mode then -- as nearly always
		call('HSET', P .. 'meta', 'opseq', num(M.opseq), 'logno', num(M.logno), 'tokno', num(M.tokno))
		return
	end
	call('HSET', P .. 'meta', 'epoch', num(M.epoch), 'incarnation', M.incarnation, 'mode', num(M.mode),
	    'opseq', num(M.opseq), 'logno', num(M.logno), 'tokno', num(M.tokno), 'run_id', M.run_id,
	    'gate', M.gate, 'paused', M.paused, 'why', M.why, 'paused_by', M.paused_by,
	    'paused_why', M.paused_why, 'loading', M.loading, 'doubt', M.doubt, 'doubt_until', M.doubt_until,
	    'shut', M.shut, 'life_opseq', M.life_opseq, 'life_logno', M.life_logno)
end

local function message(e)
	if type(e) == 'table' then e = e.err or 'error' end
	return tostring(e)
end

-- Where an entry has its case, its person, and what its `next` is looked up by.
local CASE_AT = { record = 8, take = 4, renew = 2, giveback = 2, expire = 1, place = 1, create = 1 }
local PERSON_AT = { record = 5, grant = 2, take = 2 }

-- Where each entry begins in args, and how many arguments it has; nil when the counts do not hold: then
-- nothing is done at all.
local function entries_of(args)
	local at, argc, n, i, len = {}, {}, 0, 4, #args
	while i <= len do
		local c = tonumber(args[i + 1] or '')
		if not c or c < 0 or i + 1 + c > len then return nil end
		n = n + 1
		at[n], argc[n], i = i, c, i + 2 + c
	end
	return at, argc, n
end

-- Reads with few commands what the entries will ask for. They check their arguments themselves.
local function look_ahead(args, at, argc, n)
	local cases, holders, askers, nexts = {}, {}, {}, {}
	local grants, k, l, m = 0, 0, 0, 0
	for j = 1, n do
		local name, first = args[at[j]], at[j] + 1
		local case, person = CASE_AT[name], PERSON_AT[name]
		if case and case <= argc[j] then
			k = k + 1
			cases[k] = args[first + case]
		end
		if person and person <= argc[j] then
			l = l + 1
			holders[l] = args[first + person]
			if name ~= 'record' then
				m = m + 1
				askers[m], nexts[m] = holders[l], hex(args[first + 1]) .. ' ' .. holders[l]
			end
		end
		if name == 'grant' then grants = grants + 1 end
	end
	read_ahead('cases', cases)
	read_ahead('hands', holders)
	read_ahead('next', nexts)
	read_ahead('offer', askers)
	if grants > 0 then
		read_ahead('persons', askers)
		GRANTS = grants
	end
end

local function run_entry(table_of, stale, name, args, from, to)
	local entry = table_of[name]
	if not entry then return { 'err', 'no such entry' } end
	if M.epoch == 0 and name ~= 'open' then return { 'err', 'no campaign' } end
	if M.loading == '1' and table_of ~= R then return { 'err', 'no campaign' } end
	if stale then return { 'err', 'epoch' } end
	local ok, r = pcall(entry, unpack(args, from, to))
	return ok and r or { 'err', message(r) }
end

local function run(table_of, keys, args)
	P = keys[1] and keys[1]:match('^(hf:{[a-z0-9_-]+}:)meta$')
	if not P then return redis.error_reply('ERR hf1: wants the campaign\'s meta key') end
	if not HEX then prepare() end
	local now, wall, believed = args[1], args[2], args[3]
	if not (now and wall and believed and now:match('^%d+$') and wall:match('^%d+$') and believed:match('^%d+$')) then
		return redis.error_reply('ERR hf1: wants now, wall, epoch')
	end
	local at, argc, n = entries_of(args)
	if not at then return redis.error_reply('ERR hf1: argument counts') end
	NOW, NOW_MS, STAMP, UPTO = now, tonumber(now), ' ' .. now .. ' ' .. wall, {}
	LOG = P .. 'log'
	view_begin()
	load_meta()
	believed = tonumber(believed)
	local stale = believed ~= 0 and believed ~= M.epoch
	if n > 1 and not stale then look_ahead(args, at, argc, n) end
	local replies = {}
	for j = 1, n do replies[j + 4] = run_entry(table_of, stale, args[at[j]], args, at[j] + 2, at[j] + 1 + argc[j]) end
	settle()
	save_meta()
	replies[1], replies[2], replies[3], replies[4] = num(M.mode), num(M.epoch), num(M.opseq), num(M.logno)
	return replies
end

redis.register_function('hf1_broker', function(keys, args) return run(B, keys, args) end)
redis.register_function('hf1_router', function(keys, args) return run(R, keys, args) end)
redis.register_function('hf1_recorder', function(keys, args) return run(S, keys, args) end)
