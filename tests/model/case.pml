/* One case, two agents, every order of events: the promises of HFP/1 as a model for Spin.
 *
 * Every step of a process is atomic, and all steps interleave. A message is a bit (or a high water) that
 * stays once it is set: it may be lost (nobody takes the step), come late, twice, or in another order.
 * Time is only this: a holder's own deadline passes before a server may call the lease run out.
 * README.md says what each assertion promises, what each -DV_… breaks, and what is left out. */

#ifndef T
#define T 3 /* tokens 1 … T-1 are ever given */
#endif
#ifndef NS
#define NS 2 /* records an outbox may hold */
#endif
#ifndef ACTS
#define ACTS 1 /* records without a token, of both agents together */
#endif
#ifndef ADOPTONLY
#define ADOPTONLY false /* true: the only act is to adopt a late record */
#endif
#ifndef RLOSS
#define RLOSS 1 /* total losses of Redis */
#endif
#ifndef PLOSS
#define PLOSS 0 /* total losses of PostgreSQL */
#endif
#ifndef HEAR
#define HEAR 0 /* 1: an answer may be lost on its way to the agent, who asks again */
#endif
#ifndef EV
#define EV 0 /* 1: the first record of outbox 0 names a file of evidence */
#endif

#define NORMAL 0
#define RECOVERING 1
#define POOL 0
#define TRIAGE 1
#define REST 2
#define DOUBT 3
#define NO 0
#define EFFECTIVE 1
#define LATE 2
#define NOREF 255

#define at(a, s) ((a) * NS + (s) - 1)

/* ---- Redis: the case, the outboxes' high waters, the log ---- */
byte mode = NORMAL, epoch = 1;
byte lane = POOL, ver = 1, tok = 0, hand = 0, tokno = 0;
bit held, moved, triage, acted; /* flags h, m, t, a */
bit fold;                       /* the law has not folded the newest record yet */
#ifdef V_TRIMUNREAD
bit missed;                     /* the newest record left the log before the router read it */
#else
#define missed false
#endif
bit fin;                        /* the law's memory: the newest effective record is a final one */
byte acc[2], cut[2];            /* accepted_upto; the log holds what is after cut */

/* ---- the router's one outstanding placement: it may arrive at any time, as often as it likes ---- */
bit plan; byte plan_ver, plan_epoch, plan_lane;

/* ---- PostgreSQL and the archive ---- */
byte P[2], J[2];
bit pg_down, twice; /* twice: a ledger row written a second time */
byte p_lane = POOL, p_ver = 1, p_tok = 0, p_tokno = 0;
bit p_moved, p_fin, p_held, p_acted;

/* ---- agents: outboxes, leases by their own clock, what they were told ---- */
byte head[2], told[2], val[2]; /* told: 已受理, as soon as it is true: the hardest case */
byte r_tok[2 * NS], r_exp[2 * NS], r_epoch[2 * NS], r_ref[2 * NS];
bit r_fin[2 * NS];
byte verdict[2 * NS]; /* the newest answer, also after the store that gave it is gone */
byte acts;

/* ---- leases by token, messages under way ---- */
byte own[T]; /* 1 + the agent it was given to */
bit saw[T], made[T], dead[T], ending[T];

/* The outbox forgets at RELEASED, and at once: the hardest case for what must still be somewhere. */
#if defined(V_DROPATACCEPT) || defined(V_WMID) || defined(V_TRIMEARLY)
#define own_drop
#endif

#if HEAR
byte heard[2]; /* up to which record the agent knows the verdict */
#ifdef V_ANSWERGONE
#define answered(a, s) ((s) > J[a]) /* the store forgets its answers at RELEASED */
#else
#define answered(a, s) true
#endif
#endif

/* ---- evidence: at the agent until its record is RELEASED, in Redis on its way, beside the archive ---- */
#if EV
bit ev_redis, ev_arch;
#ifdef V_EVDROPEARLY
bit ev_gone; /* the agent forgets the file once Redis has it */
#else
#define ev_gone false
#endif
#ifdef V_EVNOWAIT
#define released(a) J[a]
#else
#define released(a) ((a) == 0 && !ev_arch -> 0 : J[a]) /* RELEASED waits for the file */
#endif
#define ev_agent (released(0) == 0 && !ev_gone)
#else
#define released(a) J[a]
#endif

/* ---- what only the assertions look at ---- */
byte moment, r_moment[2 * NS]; /* counts the case's changes through all losses */
byte order, r_order[2 * NS];   /* in which order records first became effective */
bit g_acted;                   /* an act moved the case since the newest grant */
byte skipped[2];
#ifdef own_drop
byte dropped[2];
#define drop(a) dropped[a]
#else
#define drop(a) released(a)
#endif
byte losses, pg_losses;
#ifdef V_ZOMBIE
bit old_alive;
#endif
#ifdef V_WMID
byte logno, water, r_log[2 * NS];
#endif

/* No fault can come any more: when the recorder writes changes nothing that can be seen. */
#define calm (losses == RLOSS && pg_losses == PLOSS && !pg_down && mode == NORMAL)
#define first_is_0(a) ((a) == 0 || tokno > 0 || head[0] > 0)
#define all_back (acc[0] == head[0] && acc[1] == head[1])
#define resent (acc[0] >= told[0] && acc[1] >= told[1])
#define has(a, s, lo, hi) ((s) > (lo) && (s) <= (hi) && (s) != skipped[a])
#define copies(a, s) \
	(((s) > drop(a) -> 1 : 0) + (has(a, s, cut[a], acc[a]) -> 1 : 0) + \
	(!pg_down && has(a, s, 0, P[a]) -> 1 : 0) + (has(a, s, 0, J[a]) -> 1 : 0))

/* I1, I2, I3: after every step. */
inline promises() {
	d_step {
		assert(!(val[0] && val[1]));
		assert(!twice);
#if EV
		assert(told[0] == 0 || ev_agent || ev_redis || ev_arch);
#endif
		x = 0;
		do
		:: x < 2 ->
			y = 1;
			do
			:: y <= told[x] ->
				assert(copies(x, y) >= 1);
				assert(mode == RECOVERING || pg_down || !resent || copies(x, y) >= 2);
				y++
			:: else -> break
			od;
			x++
		:: else -> break
		od;
		x = 0; y = 0
	}
}

inline change() { ver++; moment++ }

/* I6: nobody is sent to a case while a final word on it, told as effective, is missing in the store; nor
 * (by NEXT) to one whose newest effective record is final. */
inline may_call(by_next) {
	assert(!by_next || !fin);
	x = 0;
	do
	:: x < 2 ->
		y = acc[x] + 1;
		do
		:: y <= told[x] ->
			assert(!(verdict[at(x, y)] == EFFECTIVE && r_fin[at(x, y)] &&
			    r_order[at(x, y)] == order));
			y++
		:: else -> break
		od;
		x++
	:: else -> break
	od;
	x = 0; y = 0
}

inline give(a) {
	tokno++;
	assert(own[tokno] == 0); /* I5: a token is given once */
	tok = tokno; own[tok] = a + 1;
	held = 1; hand = a;
	moved = 0; triage = 0; acted = 0; g_acted = 0;
	change()
}

inline end_lease() {
	held = 0; hand = 0;
	if
#ifndef V_TRIAGELOST
	:: triage -> lane = TRIAGE
#endif
	:: else
	fi;
	if
	:: acted ->
		g_acted = 1;
#ifndef V_ACTKEEPS
		moved = 1
#endif
	:: else
	fi;
	triage = 0; acted = 0;
	change()
}

#ifdef V_READMITANY
#define readmit_any (mode == RECOVERING)
#else
#define readmit_any false
#endif

/* After a loss a case is given to nobody before it left doubt: a lease of the lost store is still the newest. */
#define nobody_since (mode == RECOVERING || (lane == DOUBT && !held))

/* What the store says of the next record of outbox a; n is its place, v the verdict. */
inline judge_token() {
	if
#ifdef V_NOFENCE
	:: true -> v = EFFECTIVE
#else
	:: r_tok[n] == tok && moved -> v = LATE
#ifdef V_EXPIREDLATE
	:: r_tok[n] == tok && !moved && !held -> v = LATE
#endif
#ifdef V_EXPIREDLATE
	:: r_tok[n] == tok && !moved && held -> v = EFFECTIVE
#else
	:: r_tok[n] == tok && !moved -> v = EFFECTIVE
#endif
#ifdef V_READMITANY
	:: r_tok[n] != tok && (mode == RECOVERING || (r_tok[n] > tok && nobody_since)) -> v = EFFECTIVE
#else
	:: r_tok[n] > tok && nobody_since -> v = EFFECTIVE
#endif
	:: (r_tok[n] < tok && !readmit_any) || (r_tok[n] > tok && !nobody_since) -> v = LATE
#endif
	fi
}

#ifdef V_ACTBLIND
#define act_stands true
#else
#ifdef V_VERSIONREUSE
#define act_stands (r_exp[n] == 0 || r_exp[n] == ver)
#else
#define act_stands (r_exp[n] == 0 || (r_exp[n] == ver && r_epoch[n] == epoch))
#endif
#endif

inline check_verdict(a) {
	if
	:: r_tok[n] > 0 ->
		/* G3: the newest token, and no act since: neither more nor less (exact while no store was lost) */
		assert(losses > 0 || (v == EFFECTIVE) == (r_tok[n] == tokno && !g_acted));
		/* I5: effective tokens rise */
		if
		:: v == EFFECTIVE ->
			x = 0;
			do
			:: x < 2 ->
				y = 1;
				do
				:: y <= acc[x] ->
					assert(!(verdict[at(x, y)] == EFFECTIVE && r_tok[at(x, y)] > r_tok[n]));
					y++
				:: else -> break
				od;
				x++
			:: else -> break
			od;
			x = 0; y = 0
		:: else
		fi
	:: r_tok[n] == 0 && v == EFFECTIVE ->
		/* an act that names a version speaks of the case as it is */
		assert(r_exp[n] == 0 || r_moment[n] == moment);
		/* what is adopted is there */
		assert(r_ref[n] == NOREF || r_ref[n] % NS + 1 <= acc[r_ref[n] / NS])
	:: else
	fi
}

/* A case in doubt waits there for whoever has not come back, whatever others say meanwhile. */
inline to_triage() {
#ifdef V_DOUBTACT
	lane = TRIAGE
#else
	lane = (lane == DOUBT -> DOUBT : TRIAGE)
#endif
}

inline apply_record() {
	fin = r_fin[n]; fold = 1;
#ifdef V_TRIMUNREAD
	missed = 0;
#endif
	if
	:: r_order[n] == 0 -> order++; r_order[n] = order
	:: else
	fi;
	if
	:: r_tok[n] > 0 ->
		tok = r_tok[n]; held = 0; hand = 0; triage = 0; acted = 0; moved = 0; to_triage()
	:: r_tok[n] == 0 && held -> triage = 1; acted = 1
	:: else ->
		to_triage(); g_acted = 1;
#ifndef V_ACTKEEPS
		moved = 1
#endif
	fi;
	change()
}

inline submit(a) {
	n = at(a, acc[a] + 1);
	if
	:: r_tok[n] > 0 -> judge_token()
	:: else -> v = (act_stands -> EFFECTIVE : LATE)
	fi;
	check_verdict(a);
	verdict[n] = v;
	if
	:: v == EFFECTIVE -> apply_record()
	:: else
	fi;
	acc[a]++;
	if
	:: told[a] < acc[a] -> told[a] = acc[a]
	:: else
	fi;
	if
	:: calm -> P[a] = acc[a]; J[a] = acc[a]; cut[a] = acc[a]
	:: else
	fi;
#ifdef V_WMID
	logno++; r_log[n] = logno;
#endif
	n = 0; v = 0
}

inline write_record(a, token, exp, ref) {
	head[a]++;
	n = at(a, head[a]);
	r_tok[n] = token; r_exp[n] = exp; r_epoch[n] = (exp > 0 -> epoch : 0); r_ref[n] = ref;
	r_moment[n] = (exp > 0 -> moment : 0);
	n = 0
}

#ifdef V_LATEGRANT
#define in_time(t) true
#else
#define in_time(t) (!dead[t])
#endif
#ifdef V_NOWITNESS
#define V_NOEMBARGO
#endif

#ifdef V_TAKEHELD
#define may_take (lane != DOUBT)
#else
#ifdef V_TAKEDOUBT
#define may_take (!held)
#else
#define may_take (!held && lane != DOUBT)
#endif
#endif

/* A grant arrives; a lease runs out by the holder's clock, or is given back; a call is written down. */
#define holder(t) \
	:: atomic { own[t] == a + 1 && !saw[t] && !val[a] && in_time(t) -> \
		saw[t] = 1; val[a] = t; promises() } \
	:: atomic { own[t] == a + 1 && saw[t] && !made[t] && head[a] < NS -> \
		made[t] = 1; write_record(a, t, 0, NOREF); \
		if :: r_fin[at(a, head[a])] = 1 :: skip fi; \
		if :: val[a] == t -> val[a] = 0 :: else fi; \
		promises() }

/* The ticket that HELLO presents: of a lease that still runs by the agent's own clock. */
#ifdef V_STALETICKET
#define ticket(a) (own[1] == (a) + 1 && saw[1] && !made[1] && tok < 1 -> 1 : val[a])
#else
#define ticket(a) val[a]
#endif

#ifdef V_ADOPTBLIND
#define adopted_version 0
#else
#define adopted_version ver
#endif
#define adopt(other, s) \
	:: atomic { head[a] < NS && acts < ACTS && acc[other] >= s && verdict[at(other, s)] == LATE -> \
		acts++; write_record(a, 0, adopted_version, at(other, s)); r_fin[at(a, head[a])] = r_fin[at(other, s)]; \
		promises() }

active [2] proctype agent() {
	byte a = _pid, n, v, x, y;
	do
	/* NEXT: from the pool */
	:: atomic { first_is_0(a) && mode == NORMAL && lane == POOL && !held && tokno + 1 < T ->
		may_call(true); give(a); promises() }
	/* TAKE: by name, from anywhere but doubt */
	:: atomic { first_is_0(a) && mode == NORMAL && tokno + 1 < T && may_take -> may_call(false); give(a); promises() }
	holder(1)
#if T > 2
	holder(2)
#endif
#if T > 3
	holder(3)
#endif
	:: atomic { val[a] > 0 -> val[a] = 0; promises() }
	:: atomic { val[a] > 0 -> ending[val[a]] = 1; val[a] = 0; promises() }
	/* an act: by whoever looked at the case, of the version seen, or of none */
	:: atomic { !ADOPTONLY && first_is_0(a) && head[a] < NS && acts < ACTS ->
		acts++;
		if
		:: write_record(a, 0, ver, NOREF)
		:: write_record(a, 0, 0, NOREF)
		fi;
		if
		:: r_fin[at(a, head[a])] = 1
		:: skip
		fi;
		promises() }
	adopt(1 - a, 1)
#if NS > 1
	adopt(1 - a, 2)
#endif
	/* RECORD and its answer */
	:: atomic { acc[a] < head[a] -> submit(a); promises() }
#ifdef V_SEQGAP
	:: atomic { acc[a] + 1 < head[a] -> acc[a]++; skipped[a] = acc[a]; submit(a); promises() }
#endif
#ifdef V_DROPATACCEPT
	:: atomic { dropped[a] < told[a] -> dropped[a] = told[a]; promises() }
#endif
#ifdef V_WMID
	:: atomic { dropped[a] < told[a] && r_log[at(a, dropped[a] + 1)] <= water -> dropped[a]++; promises() }
#endif
#if HEAR
	:: atomic { heard[a] < acc[a] && answered(a, heard[a] + 1) -> heard[a]++; promises() }
#endif
#if EV
	/* the file, in pieces; again when the store has nothing of it */
	:: atomic { a == 0 && head[0] > 0 && ev_agent && !ev_redis && !ev_arch ->
		ev_redis = 1;
#ifdef V_EVDROPEARLY
		ev_gone = 1;
#endif
		promises() }
#endif
	/* HELLO with the ticket of a lease that still runs, after a lost store */
	:: atomic { mode == RECOVERING && !held && lane != REST && ticket(a) > 0 &&
	    (ticket(a) > tok || (ticket(a) == tok && !moved)) -> v = ticket(a);
		held = 1; hand = a; tok = v; val[a] = v; moved = 0; change(); v = 0; promises() }
	od
}

#ifdef V_WALLCLOCK
#define may_end(t) true
#else
#define may_end(t) (val[own[t] - 1] != (t))
#endif
#ifdef V_ENDBLIND
#define ends(t) held
#else
#define ends(t) (held && tok == (t))
#endif

#define lease(t) \
	:: atomic { held && tok == t && own[t] > 0 && may_end(t) -> \
		dead[t] = !saw[t]; end_lease(); promises() } \
	:: atomic { ending[t] && ends(t) -> ending[t] = 0; end_lease(); promises() }

#ifdef V_TRIAGEUNSEEN
#define to_place fold
#else
#define to_place (fold || (lane == TRIAGE && !held))
#endif

#ifdef V_PLACEBLIND
#define plan_stands true
#else
#ifdef V_PLACEEPOCH
#define plan_stands (plan_ver == ver)
#else
#define plan_stands (plan_ver == ver && plan_epoch == epoch)
#endif
#endif

/* What the new store no longer has in its log must be in the archive before work goes on. */
#ifdef V_OPENEARLY
#define archived true
#else
#define archived (J[0] >= cut[0] && J[1] >= cut[1])
#endif

/* Brokers as observers, and the router. */
active proctype servers() {
	byte x, y;
	do
	lease(1)
#if T > 2
	lease(2)
#endif
#if T > 3
	lease(3)
#endif
	/* the router reads the case and decides */
	:: atomic { to_place && !(plan && plan_ver == ver && plan_epoch == epoch) ->
		plan = 1; plan_ver = ver; plan_epoch = epoch; plan_lane = (fin && !missed -> REST : POOL); promises() }
	/* its `place` arrives: now, or much later */
	:: atomic { plan && plan_stands && mode == NORMAL && (to_place || held || lane != plan_lane) ->
		fold = 0; plan = 0;
		if
		:: !held && lane != DOUBT ->
			lane = plan_lane;
#ifdef V_PLACECOUNTS
			moved = 1
#endif
		:: else
		fi;
		plan_ver = 0; plan_epoch = 0; plan_lane = 0; change(); promises() }
	/* everybody is back: what was in doubt is decided again */
	:: atomic { lane == DOUBT && mode == NORMAL && all_back -> lane = TRIAGE; fold = 1; change(); promises() }
	/* lease + guard in the new epoch: every lease of the old one has run out or is known again */
	:: atomic { mode == RECOVERING && archived && (!val[0] || (held && tok == val[0])) && (!val[1] || (held && tok == val[1])) ->
		mode = NORMAL;
		x = 1;
		do
		:: x < T ->
			if
			:: own[x] > 0 && !saw[x] && !(held && tok == x) -> dead[x] = 1
			:: else
			fi;
			x++
		:: else -> break
		od;
		x = 0;
#ifndef V_NODOUBT
		if
#ifdef V_DOUBTKNOWN
		:: !all_back && p_held -> lane = DOUBT
#else
		:: !all_back -> lane = DOUBT
#endif
		:: else
		fi;
#endif
		change(); promises() }
	od
}

/* The case's state as PostgreSQL has it; nobody asks for it after the last loss of Redis. */
inline remember() {
	if
	:: losses < RLOSS ->
		p_lane = lane; p_ver = ver; p_tok = tok; p_tokno = tokno;
		p_moved = moved; p_fin = fin; p_held = held; p_acted = acted
	:: else
	fi
}

/* The archive, then RELEASED: outboxes and the log forget; the log nothing that the router has not read. */
#ifdef V_TRIMUNREAD
#define may_trim true
#else
#define may_trim !fold
#endif
inline trim() {
	if
	:: may_trim && (cut[0] < J[0] || cut[1] < J[1]) ->
		cut[0] = (cut[0] < J[0] -> J[0] : cut[0]); cut[1] = (cut[1] < J[1] -> J[1] : cut[1]);
#ifdef V_TRIMUNREAD
		missed = fold;
#endif
	:: else
	fi
}
inline archive() { J[0] = P[0]; J[1] = P[1]; trim() }

active proctype recorder() {
	byte x, y;
	do
	/* one transaction: rows, the case's state, the cursor; then SETTLED */
	:: atomic { !pg_down && mode == NORMAL && (P[0] < acc[0] || P[1] < acc[1] ||
	    (losses < RLOSS && p_ver != ver)) ->
		P[0] = acc[0]; P[1] = acc[1];
		remember();
#if PLOSS == 0
		archive();
#endif
		promises() }
#ifdef V_NOCAS
	/* the answer to COMMIT was lost: the batch is written once more */
	:: atomic { !pg_down && P[0] > 0 && !twice -> twice = 1; promises() }
#endif
#if PLOSS > 0
	:: atomic { !pg_down && (J[0] < P[0] || J[1] < P[1]) -> archive(); promises() }
#endif
	:: atomic { !calm && !fold && (cut[0] < J[0] || cut[1] < J[1]) -> trim(); promises() }
#if EV
	:: atomic { ev_redis -> ev_redis = 0; ev_arch = 1; promises() }
#endif
#ifdef V_TRIMEARLY
	/* the log and the outboxes forget at SETTLED */
	:: atomic { !pg_down && (cut[0] < P[0] || cut[1] < P[1]) ->
		cut[0] = P[0]; cut[1] = P[1]; dropped[0] = P[0]; dropped[1] = P[1]; promises() }
#endif
#ifdef V_WMID
	:: atomic { water < logno && P[0] == acc[0] && P[1] == acc[1] && J[0] == P[0] && J[1] == P[1] ->
		water = logno; promises() }
#endif
	od
}

active proctype faults() {
	byte x, y;
	do
	/* Redis is lost, found out (nothing is granted), and filled from PostgreSQL in a new epoch. The promise
	 * asks that an earlier loss has been made good: agents have sent again, PostgreSQL is whole. */
	:: atomic { losses < RLOSS && mode == NORMAL && !pg_down && resent ->
#ifdef V_ZOMBIE
		old_alive = (lane == POOL && !held);
#endif
		losses++; epoch++; moment++;
		acc[0] = P[0]; acc[1] = P[1]; cut[0] = P[0]; cut[1] = P[1];
#if EV
		ev_redis = 0;
#endif
		held = 0; hand = 0; triage = 0; acted = 0; fold = 1;
		tok = p_tok; ver = p_ver; moved = p_moved || p_acted; fin = p_fin;
		lane = (p_lane == REST && !p_held && !p_acted -> REST : TRIAGE);
#ifdef V_TOKENRESET
		tokno = p_tokno;
#endif
#ifdef V_WMID
		logno = 0;
#endif
#ifndef V_NOEMBARGO
		mode = RECOVERING;
#endif
#ifdef V_SEENNUMBER
		/* an old copy that the router wrote on into, until its number is that which was seen: noticed by what the log
		 * says, not by how long it is */
		if
		:: p_lane == TRIAGE && !p_held ->
			mode = NORMAL; epoch--; tokno = p_tokno; lane = (p_fin -> REST : POOL); fold = 0; moved = p_moved
		:: true
		fi;
#endif
#ifdef V_NOWITNESS
		/* an old copy of the same store: its own epoch, its own numbers, and nobody notices */
		epoch--; tokno = p_tokno; lane = p_lane; held = p_held; moved = p_moved; acted = p_acted;
		fold = (lane == TRIAGE);
#endif
#ifndef V_DOUBTKNOWN
		if
		:: losses == RLOSS ->
			p_lane = 0; p_ver = 0; p_tok = 0; p_tokno = 0; p_moved = 0; p_fin = 0; p_held = 0; p_acted = 0
		:: else
		fi;
#endif
		promises() }
	:: atomic { pg_losses < PLOSS && !pg_down && mode == NORMAL && resent -> pg_losses++; pg_down = 1; promises() }
	/* rebuilt from the archive, then the log; every accepted record must be in one of them */
	:: atomic { pg_down ->
		assert((acc[0] <= J[0] || cut[0] <= J[0]) && (acc[1] <= J[1] || cut[1] <= J[1]));
		pg_down = 0; P[0] = acc[0]; P[1] = acc[1]; remember(); promises() }
#ifdef V_ZOMBIE
	/* the old store was not shut off: a broker still grants from it */
	:: atomic { old_alive && tokno + 1 < T ->
		old_alive = 0; tokno++;
		if
		:: own[tokno] = 1
		:: own[tokno] = 2
		fi;
		promises() }
#endif
	od
}

/* I14: when nothing can happen any more, everything arrived and nothing is stuck. */
active proctype quiet() {
	timeout ->
	assert(mode == NORMAL && !held && lane != DOUBT && lane != TRIAGE && !val[0] && !val[1]);
	assert(acc[0] == head[0] && acc[1] == head[1] && P[0] == head[0] && P[1] == head[1]);
	assert(J[0] == head[0] && J[1] == head[1]);
#if HEAR
	assert(heard[0] == head[0] && heard[1] == head[1]);
#endif
#if EV
	assert(head[0] == 0 || ev_arch);
#endif
}
