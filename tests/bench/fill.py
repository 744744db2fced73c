"""Fills a private PostgreSQL and Redis with many cases and six contacts each, in the shapes that the daemons leave: a store
that stands still, its log read to the end, its ledger without gaps. What is not there is the archive and what is sealed.

Happy path: Filled(cases) has one campaign c1, ready for hf-reconcile. Failures: a store that does not start."""
import hashlib
import os
import pathlib
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))

from stack import Stack  # noqa: E402

MONDAY = 1773018000000  # 2026-03-09 09:00 in Shanghai
DAY, CONTACTS, TEAM = 86_400_000, 6, 10
FAST = ("fsync = off", "full_page_writes = off", "shared_buffers = '512MB'", "max_wal_size = '8GB'", "wal_level = minimal",
        "max_wal_senders = 0", "autovacuum = off")  # of the filling only

MEASURED = ("shared_buffers = '1GB'", "work_mem = '16MB'", "max_wal_size = '4GB'", "checkpoint_timeout = '15min'",
            "jit = off")  # what deploy/local-setup writes on a machine of 8 GB

# A case by its number i, the same here and in state_of. 1 of 500 is held, 1 of 20 registered, 1 of 25 not released.
LANE = """CASE WHEN i % 25 = 0 THEN 'unreleased' WHEN i % 20 = 1 THEN 'terminal' WHEN i % 20 IN (2, 3) THEN 'pool'
    WHEN i % 20 = 4 THEN 'resting' ELSE 'own:p' || i % {persons} || ':due' END"""
CASES = """
INSERT INTO hf.case_state (campaign, case_ref, version, owner, hand, lane, due, token, given, flags, held, ob, law_at, why,
    no_index, imported_by, stage, pass, created_at, changed_at, log_epoch, log_no)
SELECT 'c1', decode(md5('case ' || i), 'hex'), 7, CASE WHEN i % 25 = 0 THEN NULL ELSE 'p' || i % {persons} END,
    CASE WHEN i % 500 = 5 THEN 'p' || i % {persons} END, {lane}, {now} + 86400000, i + 1, 6,
    CASE WHEN i % 500 = 5 THEN 'h' ELSE 'd' END, i % 500 = 5, NULL, '0-0',
    CASE WHEN i % 25 <> 0 AND i % 20 = 1 THEN 'registered' ELSE 'again' END, substring(decode(md5('no ' || i), 'hex') FOR 8),
    'h01', 2, 1, {monday}, {now} - 3600000, 1, i + 1
FROM generate_series(0, {cases} - 1) i;"""
LEDGER = """
INSERT INTO hf.ledger (campaign, no, ob, seq, h, prev_h, bc, sig, header, body, verdict, kind, person, case_ref, token,
    outcome, channel, seconds, spoke, t_start, t_end, log_epoch, log_no, opseq, campaign_at, wall_at)
SELECT 'c1', 1 + c * {cases}::bigint + i + 1, decode(md5('ob ' || i % {persons}), 'hex'),
    c * ({cases} / {persons}) + i / {persons} + 1, sha256(int8send(c * {cases}::bigint + i)),
    sha256(int8send(c * {cases}::bigint + i - {persons})), sha256('bc'), decode(repeat('ab', 64), 'hex'),
    decode(repeat(md5('header ' || i), 6), 'hex'), decode(repeat(md5(c || ' body ' || i), 8), 'hex'), 0, 1,
    'p' || i % {persons}, decode(md5('case ' || i), 'hex'), i + 1,
    (ARRAY['no-answer', 'considering', 'no-answer', 'will-not-say', 'busy', 'confirmed'])[1 + (c + i) % 6], 'phone',
    30 + (i * 7 + c) % 200, CASE WHEN (c + i) % 6 IN (1, 3, 5) THEN 'self' END, at, at + 60000, 1, {cases} + c * {cases}::bigint + i,
    c * {cases}::bigint + i, at, at
FROM generate_series(0, {contacts} - 1) c CROSS JOIN LATERAL (SELECT i, {monday} + c * 86400000::bigint + i % 28800 * 1000 AS at
    FROM generate_series(0, {cases} - 1) i) r;"""
REST = """
INSERT INTO hf.person (campaign, person, roles, team, qualified, active, log_epoch, log_no)
SELECT 'c1', 'p' || p, CASE WHEN p % {team} = 0 THEN 3 ELSE 1 END, 't' || p / {team}, true, true, 1, 1
FROM generate_series(0, {persons} - 1) p;
INSERT INTO hf.outbox (campaign, ob, recorded_upto) SELECT 'c1', decode(md5('ob ' || p), 'hex'), {contacts} * {cases} / {persons}
FROM generate_series(0, {persons} - 1) p;
INSERT INTO hf.ledger (campaign, no, ob, seq, h, prev_h, bc, sig, header, body, verdict, kind, person, rows, log_epoch, log_no,
    opseq, campaign_at, wall_at)
VALUES ('c1', 1, decode(md5('head'), 'hex'), 1, sha256('h'), sha256('p'), '', '', '', '', 0, 15, 'h01', {cases}, 1, 1, 1,
    {monday}, {monday});
INSERT INTO hf.outbox (campaign, ob, recorded_upto) VALUES ('c1', decode(md5('head'), 'hex'), 1);
UPDATE hf.campaign SET ledger_no = 1 + {contacts} * {cases}::bigint WHERE campaign = 'c1';
"""


def ref(i):
    return hashlib.md5(b"case %d" % i).digest()


def place_of(i, persons):
    if i % 25 == 0:
        return "unreleased"
    if i % 20 == 1:
        return "terminal"
    if i % 20 in (2, 3):
        return "pool"
    return "resting" if i % 20 == 4 else f"own:p{i % persons}:due"


def state_of(i, persons, now):
    owner = "-" if i % 25 == 0 else f"p{i % persons}"
    held = i % 500 == 5
    why = "registered" if i % 25 and i % 20 == 1 else "again"
    return (f"7|{owner}|{owner if held else '-'}|{place_of(i, persons)}|{now + DAY}|{i + 1:016x}|1|6|{'h' if held else 'd'}|-|0-0|"
            f"{why}|").encode()


class Filled(Stack):
    def __init__(self, cases, contacts=CONTACTS, monday=MONDAY):
        super().__init__(pg=True)
        self.cases, self.contacts = cases, contacts
        self.persons = max(20, cases // 2000 // 20 * 20)
        assert cases % self.persons == 0
        self.monday = monday
        (self.dir / "demo").touch()
        self.set_clock(monday + 10 * DAY)
        self.redis.config_set("maxmemory", "6gb")
        self.redis.config_set("appendfsync", "no")
        self.redis.config_set("auto-aof-rewrite-percentage", "0")
        self.ctl("db", "migrate")
        self.daemon("hf-recorder")
        self.ctl("campaign", "create", "c1")
        self.kill("hf-recorder", 15)
        self.fill_pg()
        self.fill_redis()

    def set_clock(self, ms):
        """Campaign time stands still there."""
        self.now = ms
        new = self.dir / "clock.new"
        new.write_text(f"{ms} 0 1000 1\n")
        new.rename(self.dir / "clock")

    def next_day(self):
        self.set_clock(self.now + DAY)

    def say_more(self, cases):
        """A contact more for each of so many cases, from an outbox of its own; the ledger stays without a gap."""
        self.said = getattr(self, "said", 0) + 1
        ob = f"decode(md5('ob new {self.said}'), 'hex')"
        self.psql(f"""INSERT INTO hf.ledger (campaign, no, ob, seq, h, prev_h, bc, sig, header, body, verdict, kind, person,
                case_ref, token, outcome, channel, seconds, spoke, log_epoch, log_no, opseq, campaign_at, wall_at)
            SELECT e.campaign, k.ledger_no + row_number() OVER (), {ob}, row_number() OVER (), e.h, e.prev_h, e.bc, e.sig,
                e.header, e.body, 0, 1, e.person, e.case_ref, e.token, 'confirmed', 'phone', 100, 'self', 1,
                k.ledger_no + 2 * {self.cases} + row_number() OVER (), 1, {self.now}, {self.now}
            FROM hf.campaign k JOIN hf.ledger e USING (campaign) WHERE e.no BETWEEN 2 AND 1 + {cases};
            INSERT INTO hf.outbox (campaign, ob, recorded_upto) VALUES ('c1', {ob}, {cases});
            UPDATE hf.campaign SET ledger_no = ledger_no + {cases}""")

    def move(self, least, most, in_redis=True):
        """Cases least to most - 1 go to the pool, told by the log after all that it told so far."""
        self.psql(f"""UPDATE hf.case_state c SET version = version + 1, lane = 'pool', owner = NULL, hand = NULL, held = false,
                log_no = top.log_no + 1 + i FROM generate_series({least}, {most} - 1) i, (SELECT log_no FROM hf.case_state
                    WHERE campaign = 'c1' ORDER BY log_epoch DESC, log_no DESC LIMIT 1) top
            WHERE c.campaign = 'c1' AND c.case_ref = decode(md5('case ' || i), 'hex')""")
        for c in map(ref, range(least, most) if in_redis else ()):
            x = self.redis.hget("hf:{c1}:cases", c).split(b"|")
            pipe = self.redis.pipeline(transaction=False)
            pipe.zrem("hf:{c1}:lane:" + x[3].decode(), c)
            pipe.zrem("hf:{c1}:leases", x[5] + c)
            x[0], x[1:4] = str(int(x[0]) + 1).encode(), (b"-", b"-", b"pool")
            x[8] = b"d"
            pipe.hset("hf:{c1}:cases", c, b"|".join(x))
            pipe.zadd("hf:{c1}:lane:pool", {c: self.now + DAY})
            pipe.execute()

    def words(self):
        return {"cases": self.cases, "persons": self.persons, "contacts": self.contacts, "now": self.now, "monday": self.monday,
                "team": TEAM, "lane": LANE.format(persons=self.persons)}

    def psql(self, script):
        r = subprocess.run(["psql", "-qAt", "-h", self.dir, "-U", "huifang", "-d", "huifang", "-v", "ON_ERROR_STOP=1"],
                           input=script, capture_output=True, text=True, check=False)
        assert r.returncode == 0, r.stderr
        return r.stdout

    def pg_conf(self, lines):
        (self.dir / "pg" / "postgresql.auto.conf").write_text("".join(line + "\n" for line in lines))
        self.kill("postgres", 2)
        self.start_pg()

    def fill_pg(self):
        """Without the triggers of foreign keys; statistics and visibility as autovacuum would leave them."""
        self.pg_conf(FAST)
        begin = "SET session_replication_role = replica; SET synchronous_commit = off;"
        self.psql(begin + "DELETE FROM hf.case_state; TRUNCATE hf.person;" + (CASES + REST + LEDGER).format(**self.words()))
        self.psql("VACUUM (ANALYZE)")
        self.pg_conf(MEASURED)

    def fill_redis(self):
        key = "hf:{c1}:"
        lanes, leases = {}, {}
        pipe = self.redis.pipeline(transaction=False)
        for at in range(0, self.cases, 1000):
            pipe.hset(key + "cases", mapping={ref(i): state_of(i, self.persons, self.now)
                                              for i in range(at, min(at + 1000, self.cases))})
            for i in range(at, min(at + 1000, self.cases)):
                if i % 500 == 5:
                    leases[b"%016x" % (i + 1) + ref(i)] = 0
                else:
                    lanes.setdefault(place_of(i, self.persons), {})[ref(i)] = self.now + DAY
            pipe.execute()
        for lane, members in [("lane:" + k, v) for k, v in lanes.items()] + [("leases", leases)]:
            items = list(members.items())
            for at in range(0, len(items), 2000):
                pipe.zadd(key + lane, dict(items[at:at + 2000]))
            pipe.execute()
        self.redis.sadd(key + "lanes", *lanes)


def cpu(stack):
    """CPU seconds so far by program: PostgreSQL's with the servers of connections that ended."""
    def of(p):
        fields = pathlib.Path(f"/proc/{p.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    return {name: of(p) for name, p in stack.procs.items()}


def measured(argv, env, **more):
    """Runs it; seconds, peak memory in MiB of the greatest process, exit code, stdout, its CPU seconds."""
    with tempfile.TemporaryFile() as out:
        begun = time.monotonic()
        p = subprocess.Popen([str(a) for a in argv], env=env, stdout=out, stdin=subprocess.DEVNULL, **more)
        _, status, used = os.wait4(p.pid, 0)
        took = time.monotonic() - begun
        p.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        return took, used.ru_maxrss / 1024, p.returncode, out.read().decode(), used.ru_utime + used.ru_stime
