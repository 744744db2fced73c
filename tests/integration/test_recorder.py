"""The recorder: from the log to PostgreSQL, each record once, and what it does with what is not in order."""
import os
import select
import socket
import threading

import msgpack
import nacl.signing
import pytest

from recorder_rig import (ATTEMPT, Agent, MOVES, NEEDS_TOKEN, QUARANTINED, Rig, ZERO, b2, header,
                          verify_receipt, wait_for)


@pytest.fixture(scope="module")
def servers():
    with Rig() as r:
        yield r


@pytest.fixture
def rig(servers):
    servers.reset()
    return servers


def test_a_record_becomes_a_row_a_state_a_lease_and_a_receipt(rig):
    agent, person, case = rig.agent(), rig.person(), rig.case()
    rig.recorder()
    reply = rig.queue(("grant", agent.ob, person, "1"))[0]
    assert reply[0] == b"ok" and reply[1] == case
    token = int(reply[2], 16)
    fields = ((1, "no-answer"), (2, "phone"), (3, bytes(8)), (4, 35), (7, "self"), (8, 5),
              (10, ["fees", 'with "quotes" and \\']), (12, 2), (13, [bytes(32), b"\x07" * 32]))
    said = rig.queue(agent.say(body=b"sealed", token=token, case=case, fields=fields, flags=NEEDS_TOKEN | MOVES))
    assert said[0][1] == b"0"
    rig.wait_settled(agent)

    db = rig.db().cursor()
    db.execute("SELECT no, seq, verdict, why, flaw, kind, person, case_ref, token, outcome, channel, seconds, spoke, "
               "ticks, rung, number_id, body, h, concerns, evidence, t_start, quality, again FROM hf.ledger")
    row = db.fetchone()
    assert row[:7] == (1, 1, 0, None, None, 1, "li")
    assert bytes(row[7]) == case and row[8] == token
    assert row[9:15] == ("no-answer", "phone", 35, "self", 5, 2)
    assert bytes(row[15]) == bytes(8) and bytes(row[16]) == b"sealed" and bytes(row[17]) == agent.h
    assert row[18] == ["fees", 'with "quotes" and \\'] and [bytes(e) for e in row[19]] == [bytes(32), b"\x07" * 32]
    assert row[20:] == (1, 0, False)
    assert rig.sql("SELECT lane, hand, held, flags, convert_from(task, 'UTF8'), encode(blob, 'hex'), created_at > 0, version "
                   "FROM hf.case_state") == [["triage", "", "f", "d", "sealed task", "0102", "t", "3"]]
    assert rig.sql("SELECT person, encode(ob, 'hex'), pulled, from_lane, granted_at > 0, ended_how FROM hf.lease_log") == [
        ["li", agent.ob.hex(), "t", "pool", "t", "record"]]
    assert rig.sql("SELECT person, roles, team, qualified, active FROM hf.person") == [["li", "1", "t1", "t", "t"]]
    assert rig.sql("SELECT imported, triage, held, elsewhere FROM hf.v_census") == [["1", "1", "0", "0"]]
    assert rig.sql("SELECT outcome, verdict FROM hf.v_contact") == [["no-answer", "0"]]
    receipt = verify_receipt(rig, rig.redis.hget("hf:{c1}:ob:" + agent.ob.hex(), "receipt1"))
    inc = rig.sql("SELECT encode(incarnation, 'hex') FROM hf.campaign")[0][0]
    assert receipt == {"level": 1, "ob": agent.ob, "upto": 1, "h": agent.h, "incarnation": bytes.fromhex(inc)}


def test_marks_alone_do_not_make_it_write(rig):
    agent = rig.agent()
    rig.recorder()
    rig.queue(agent.say())
    rig.wait_settled(agent)
    before = rig.sql("SELECT no, moved_at FROM hf.cursor")
    rig.route(("gate", "5"), ("gate", "0"))
    rig.wait_settled(agent)
    assert rig.sql("SELECT no, moved_at FROM hf.cursor") == before
    rig.queue(agent.say())
    rig.wait_settled(agent)
    assert rig.sql("SELECT settled_upto, recorded_upto FROM hf.outbox") == [["1", "2"]]


def test_ledger_numbers_have_no_gaps_and_follow_the_log(rig):
    agents = [rig.agent() for _ in range(5)]
    for _ in range(20):
        rig.queue(*[a.say() for a in agents])
    rig.recorder()
    for a in agents:
        rig.wait_settled(a)
    assert rig.sql("SELECT count(*), min(no), max(no), count(DISTINCT (ob, seq)) FROM hf.ledger") == [
        ["100", "1", "100", "100"]]
    assert rig.sql("SELECT count(*) FROM (SELECT no, lag(no) OVER (ORDER BY log_epoch, log_no) AS p FROM hf.ledger) x "
                   "WHERE p >= no") == [["0"]]


def test_a_giveback_and_an_expiry_end_their_leases(rig):
    agent, person, case = rig.agent(), rig.person(), rig.case()
    rig.recorder()
    token = rig.queue(("grant", agent.ob, person, "1"))[0][2]
    rig.queue(("giveback", agent.ob, case, token, "class"))
    token = rig.queue(("grant", agent.ob, person, "2"))[0][2]
    rig.queue(("expire", case, token, "0"))
    rig.queue(agent.say())
    rig.wait_settled(agent)
    assert rig.sql("SELECT ended_how FROM hf.lease_log ORDER BY token") == [["giveback class"], ["expire silent"]]
    assert rig.sql("SELECT held, lane FROM hf.case_state") == [["f", "pool"]]


def test_a_record_that_is_quarantined_by_the_broker_is_in_the_ledger_and_counts_nowhere(rig):
    agent = rig.agent()
    rig.recorder()
    assert rig.queue(agent.say(case=rig.case(), flags=QUARANTINED) + ("role",))[0][1] == b"2"
    rig.wait_settled(agent)
    assert rig.sql("SELECT verdict, why, flaw FROM hf.ledger") == [["2", "role", ""]]
    assert rig.sql("SELECT count(*) FROM hf.v_contact") == [["0"]]
    assert rig.sql("SELECT what, why FROM hf.v_problem") == [["quarantined", "role"]]


# -- what is not in order ---------------------------------------------------------------------------------


def test_a_header_that_does_not_decode_is_kept_whole_and_stops_nothing(rig):
    agent = rig.agent()
    rig.recorder()
    rig.queue(agent.say(head=b"\x93\x01\x02", flags=QUARANTINED))
    rig.queue(agent.say(case=rig.case()))
    rig.wait_settled(agent)
    assert rig.sql("SELECT seq, verdict, flaw, person, outcome FROM hf.ledger ORDER BY seq") == [
        ["1", "2", "header", "li", ""], ["2", "0", "", "li", "no-answer"]]
    raw = rig.sql("SELECT encode(raw, 'hex'), flaw, seq FROM hf.quarantine")
    assert b"\x93\x01\x02" in bytes.fromhex(raw[0][0]) and raw[0][1:] == ["header", "1"]


def test_a_frame_that_does_not_decode_counts_as_recorded_and_the_next_record_hangs_on_it(rig):
    agent = rig.agent()
    rig.recorder()
    entry = list(agent.say())
    entry[11] = b"no frame at all"
    rig.queue(tuple(entry))
    wait_for("the broken one is recorded", lambda: rig.upto(agent) == 1)
    assert rig.settled(agent) == 0  # its hash is not known, so nothing is claimed of it
    rig.queue(agent.say())
    rig.wait_settled(agent)
    assert rig.sql("SELECT seq, flaw FROM hf.ledger") == [["2", ""]]
    assert rig.sql("SELECT seq, flaw FROM hf.quarantine") == [["1", "frame"]]
    assert rig.sql("SELECT recorded_h FROM hf.outbox") == [["\\x" + agent.h.hex()]]


def test_a_frame_of_another_outbox_is_not_taken_for_this_one(rig):
    agent, other = rig.agent(), rig.agent()
    rig.recorder()
    entry, foreign = list(agent.say()), other.say()
    entry[11] = foreign[11]
    rig.queue(tuple(entry))
    wait_for("it is recorded", lambda: rig.upto(agent) == 1)
    assert rig.sql("SELECT flaw FROM hf.quarantine") == [["frame"]]
    assert rig.sql("SELECT count(*) FROM hf.ledger") == [["0"]]


@pytest.mark.parametrize("bad", [[1], [3], [1, 2, 3], [2]])
def test_only_what_no_good_signature_covers_is_flawed(rig, bad):
    """Three records in one batch; those of `bad` are signed with another key."""
    agent, thief = rig.agent(), nacl.signing.SigningKey.generate()
    case = rig.case()
    rig.queue(*[agent.say(case=case, key=thief if n in bad else None) for n in (1, 2, 3)])
    rig.recorder()
    rig.wait_settled(agent)
    newest_good = max((n for n in (1, 2, 3) if n not in bad), default=0)
    flaws = rig.sql("SELECT flaw FROM hf.ledger ORDER BY seq")
    assert flaws == [[""] if n <= newest_good else ["signature"] for n in (1, 2, 3)]
    assert rig.sql("SELECT count(*) FROM hf.quarantine") == [[str(3 - newest_good)]]
    assert rig.sql("SELECT count(*) FROM hf.v_contact") == [[str(newest_good)]]
    if bad == [3]:
        rig.wait_logged("flaw=signature")


def test_a_body_that_was_changed_in_the_log_breaks_the_chain(rig):
    agent = rig.agent()
    entries = [list(agent.say(body=b"true %d" % n)) for n in range(3)]
    entries[1][12] = b"false"
    rig.queue(*map(tuple, entries))
    rig.recorder()
    rig.wait_settled(agent)
    assert rig.sql("SELECT flaw FROM hf.ledger ORDER BY seq") == [[""], ["chain"], [""]]


def test_a_stretch_before_a_broken_link_needs_a_signature_of_its_own(rig):
    """1 is forged, 2 hangs on nothing (hashes of its own, honestly signed), 3 is honest."""
    agent, thief = rig.agent(), nacl.signing.SigningKey.generate()
    one = agent.say(key=thief)
    true_h = agent.h
    agent.h = b"\x11" * 32
    two = list(agent.say())
    two[3] = true_h  # what the store compares; the frame says something else
    rig.queue(one, tuple(two), agent.say())
    rig.recorder()
    rig.wait_settled(agent)
    assert rig.sql("SELECT flaw FROM hf.ledger ORDER BY seq") == [["signature"], ["chain"], [""]]


def test_an_agent_that_nobody_enrolled_is_not_believed(rig):
    agent = rig.agent(enrolled=False)
    rig.queue(agent.say())
    rig.recorder()
    rig.wait_settled(agent)
    assert rig.sql("SELECT flaw FROM hf.ledger") == [["agent"]]


def test_entries_of_no_known_shape_are_kept_and_passed_over(rig):
    agent = rig.agent()
    rig.queue(agent.say())
    no = int(rig.redis.hget("hf:{c1}:meta", "logno"))
    poison = [{"e": "record 9 9 9", "c": b"", "s": b"", "d": b"rubbish"}, {"e": "nothing"}, {"x": b"\x00\xff"},
              {"e": "newfangled 9 9 9", "c": b"", "s": b"", "d": b""},
              {"e": "grant 9 9 9", "c": bytes(16), "s": b"1|2|3", "d": b"li"},
              {"e": "person 9 9 9", "c": b"", "s": b"", "d": b"li 1 t1 7 - 1"}]
    for i, fields in enumerate(poison):
        rig.redis.xadd("hf:{c1}:log", fields, id=f"1-{no + 1 + i}")
    rig.redis.hset("hf:{c1}:meta", "logno", no + len(poison))
    rig.queue(agent.say())
    rig.recorder()
    rig.wait_settled(agent)
    assert rig.sql("SELECT count(*) FROM hf.ledger") == [["2"]]
    assert rig.sql("SELECT flaw, count(*) FROM hf.quarantine GROUP BY flaw") == [["entry", str(len(poison))]]
    assert rig.sql("SELECT convert_from(raw, 'SQL_ASCII') FROM hf.quarantine WHERE log_no = %d" % (no + 2)) == [
        ["1:e7:nothing"]]


def test_a_row_that_postgresql_refuses_is_kept_without_its_open_fields(rig):
    """The table refuses one outcome; 30 others of the same batch go in as they are."""
    rig.sql("ALTER TABLE hf.ledger ADD CONSTRAINT picky CHECK (outcome IS DISTINCT FROM 'poison')")
    agent = rig.agent()
    case = rig.case()
    rig.queue(*[agent.say(case=case, fields=((1, "poison" if n == 10 else "no-answer"), (2, "phone"))) for n in range(31)])
    rig.recorder()
    rig.wait_settled(agent)
    assert rig.sql("SELECT seq, flaw, outcome, person FROM hf.ledger WHERE flaw IS NOT NULL") == [
        ["11", "database", "", "li"]]
    assert rig.sql("SELECT count(*), max(no) FROM hf.ledger") == [["31", "31"]]
    assert rig.sql("SELECT seq, flaw FROM hf.quarantine") == [["11", "database"]]
    # afterwards it is fast again
    rig.queue(*[agent.say() for _ in range(50)])
    rig.wait_settled(agent)
    assert rig.sql("SELECT count(*) FROM hf.ledger") == [["81"]]


@pytest.mark.parametrize("table, check, flaws", [
    ("case_state", "lane <> 'poison'", ["database"]),           # its state
    ("ledger", "person <> 'li'", ["database"]),                 # not even without open fields
    ("lease_log", "ended_how IS DISTINCT FROM 'giveback bored'", ["database"])])
def test_an_entry_that_postgresql_refuses_is_quarantined_and_stops_nothing(rig, table, check, flaws):
    """One refused entry among good ones: kept raw, seen as a problem, counted as recorded; the rest goes in."""
    rig.sql(f"ALTER TABLE hf.{table} ADD CONSTRAINT picky CHECK ({check})")
    agent = rig.agent()
    rig.person()
    rig.case()
    if table == "case_state":
        rig.case(lane="poison")
    elif table == "lease_log":
        token, case = rig.queue(("grant", agent.ob, "li", "1"))[0][2:0:-1]
        assert rig.queue(("giveback", agent.ob, case, token, "bored"))[0][0] == b"ok"
    rig.queue(agent.say(body=b"one", person="li" if table == "ledger" else "wang"))
    rig.queue(agent.say(body=b"two", person="wang"))
    rig.recorder()
    rig.wait_settled(agent)
    assert [row[0] for row in rig.sql("SELECT flaw FROM hf.quarantine")] == flaws
    assert rig.sql("SELECT what, why FROM hf.v_problem") == [["flaw", "database"]]
    assert rig.sql("SELECT octet_length(raw) > 60 FROM hf.quarantine") == [["t"]]
    assert rig.sql("SELECT count(*), count(flaw) FROM hf.ledger") == [["1" if table == "ledger" else "2", "0"]]
    rig.wait_logged("flaw=database")
    # alone in a batch, and after it: fast again
    if table == "case_state":
        rig.case(lane="poison")
    rig.queue(*[agent.say(person="li" if table == "ledger" and n == 3 else "wang") for n in range(20)])
    rig.wait_settled(agent)
    assert rig.sql("SELECT count(*) FROM hf.quarantine") == [["1" if table == "lease_log" else "2"]]


def test_a_table_without_its_right_blames_no_entry(rig):
    rig.sql("REVOKE INSERT ON hf.ledger FROM hf_recorder")
    agent = rig.agent()
    rig.queue(agent.say())
    rig.recorder()
    rig.wait_logged("SQLSTATE 42501")

    def tries():
        return int(rig.sql("SELECT xact_rollback FROM pg_stat_database WHERE datname = 'huifang'")[0][0])

    before = tries()
    wait_for("it tries again and again", lambda: tries() >= before + 5 or rig.sql("SELECT 1 FROM hf.quarantine"))
    rig.sql("GRANT INSERT ON hf.ledger TO hf_recorder")
    rig.wait_settled(agent)
    assert rig.sql("SELECT count(*), count(flaw) FROM hf.ledger") == [["1", "0"]]
    assert rig.sql("SELECT count(*) FROM hf.quarantine") == [["0"]]


class LostCommit(threading.Thread):
    """Before PostgreSQL's socket: the first COMMIT is carried out, its answer is not delivered."""

    def __init__(self, rig):
        super().__init__(daemon=True)
        self.real, self.lost = str(rig.dir / ".s.PGSQL.5432"), threading.Event()
        self.listener = socket.socket(socket.AF_UNIX)
        where = rig.dir / "between"
        where.mkdir(exist_ok=True)
        (where / ".s.PGSQL.5432").unlink(missing_ok=True)
        self.listener.bind(str(where / ".s.PGSQL.5432"))
        self.listener.listen()
        conf = rig.dir / "env.conf"
        self.conf, self.text = conf, conf.read_text()
        conf.write_text(self.text.replace(f"host={rig.dir} ", f"host={where} "))
        where.chmod(0o755)
        os.chmod(where / ".s.PGSQL.5432", 0o777)

    def run(self):
        while True:
            near, _ = self.listener.accept()
            threading.Thread(target=self.carry, args=(near,), daemon=True).start()

    def carry(self, near):
        with near, socket.socket(socket.AF_UNIX) as far:
            far.connect(self.real)
            while True:
                for s in select.select([near, far], [], [])[0]:
                    data = s.recv(65536)
                    if not data:
                        return
                    (far if s is near else near).sendall(data)
                    if s is near and b"COMMIT" in data and not self.lost.is_set():
                        far.recv(65536)
                        self.lost.set()
                        return


def test_a_commit_whose_answer_is_lost_is_neither_lost_nor_done_twice(rig):
    agent = rig.agent()
    between = LostCommit(rig)
    between.start()
    try:
        rig.queue(*[agent.say() for _ in range(5)])
        rig.recorder()
        rig.wait_settled(agent)
        assert between.lost.is_set()
        rig.queue(agent.say())
        rig.wait_settled(agent)
        assert rig.sql("SELECT count(*), max(no), count(flaw) FROM hf.ledger") == [["6", "6", "0"]]
        assert rig.sql("SELECT count(*) FROM hf.v_problem") == [["0"]]
    finally:
        between.conf.write_text(between.text)


@pytest.mark.parametrize("state", ["40003", "08007"])
def test_an_outcome_that_postgresql_calls_unknown_is_looked_up(rig, state):
    """The first COMMIT says so; what is true then is the cursor."""
    rig.sql("CREATE SEQUENCE hf.once; GRANT USAGE ON SEQUENCE hf.once TO hf_recorder; "
            "CREATE FUNCTION hf.unknown() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF nextval('hf.once') = 1 THEN RAISE EXCEPTION 'unknown' USING ERRCODE = '{state}'; END IF; "
            "RETURN NULL; END $$; "
            "CREATE CONSTRAINT TRIGGER unknown AFTER INSERT ON hf.ledger DEFERRABLE INITIALLY DEFERRED "
            "FOR EACH ROW EXECUTE FUNCTION hf.unknown()")
    agent = rig.agent()
    rig.queue(*[agent.say() for _ in range(5)])
    rig.recorder()
    rig.wait_settled(agent)
    rig.wait_logged("SQLSTATE " + state)
    assert rig.sql("SELECT count(*), max(no), count(flaw) FROM hf.ledger") == [["5", "5", "0"]]
    assert rig.sql("SELECT count(*) FROM hf.quarantine") == [["0"]]


def test_another_record_under_a_known_number_is_an_equivocation(rig):
    agent = rig.agent()
    rig.recorder()
    rig.queue(agent.say(body=b"one"))
    rig.wait_settled(agent)
    twin = Agent()
    twin.key, twin.ob = agent.key, agent.ob
    entry = twin.say(body=b"another")
    no = int(rig.redis.hget("hf:{c1}:meta", "logno"))
    rig.redis.xadd("hf:{c1}:log", {"e": "record 99 1 1", "c": b"", "s": b"", "d": agent.ob.hex() + " 1 0 - li 1",
                                   "r": entry[11], "b": entry[12]}, id=f"1-{no + 1}")
    rig.redis.hset("hf:{c1}:meta", "logno", no + 1)
    rig.queue(agent.say())
    rig.wait_settled(agent)
    assert rig.sql("SELECT seq, encode(recorded_h, 'hex') = (SELECT encode(h, 'hex') FROM hf.ledger WHERE seq = 1), "
                   "encode(other_h, 'hex'), convert_from(f1, 'UTF8') FROM hf.equivocation") == [
        ["1", "t", twin.h.hex(), "another"]]
    assert rig.sql("SELECT convert_from(body, 'UTF8') FROM hf.ledger WHERE seq = 1") == [["one"]]
    rig.wait_logged("flaw=equivocation")


def test_the_same_record_again_in_the_log_changes_nothing(rig):
    agent = rig.agent()
    rig.recorder()
    entry = agent.say(body=b"one")
    rig.queue(entry)
    rig.wait_settled(agent)
    no = int(rig.redis.hget("hf:{c1}:meta", "logno"))
    rig.redis.xadd("hf:{c1}:log", {"e": "record 99 1 1", "c": b"", "s": b"", "d": agent.ob.hex() + " 1 0 - li 1",
                                   "r": entry[11], "b": entry[12]}, id=f"1-{no + 1}")
    rig.redis.hset("hf:{c1}:meta", "logno", no + 1)
    rig.queue(agent.say())
    rig.wait_settled(agent)
    assert rig.sql("SELECT count(*), max(no) FROM hf.ledger") == [["2", "2"]]
    assert rig.sql("SELECT count(*) FROM hf.v_problem") == [["0"]]


# -- the campaign, two recorders, the stores apart -------------------------------------------------------


def test_it_waits_quietly_for_a_campaign(rig):
    rig.redis.srem("hf:campaigns", "c1")
    rig.recorder()
    rig.wait_logged("there is no campaign yet")
    agent = rig.agent()
    rig.queue(agent.say())
    rig.redis.sadd("hf:campaigns", "c1")
    rig.wait_settled(agent)
    assert rig.full_log().count("recorder.waits") == 1


def test_of_two_recorders_one_writes_and_the_other_takes_over(rig):
    agent = rig.agent()
    rig.recorder("one")
    rig.queue(agent.say())
    rig.wait_settled(agent)
    rig.recorder("two")
    rig.wait_logged("recorder.standby", "two")
    rig.wait_logged("keys.standby", "two")
    rig.queue(agent.say())
    rig.wait_settled(agent)
    assert "recorder.running" not in rig.full_log("two")
    rig.kill("one")
    rig.wait_logged("recorder.running", "two")
    rig.queue(agent.say())
    rig.wait_settled(agent)
    assert rig.sql("SELECT count(*), max(no) FROM hf.ledger") == [["3", "3"]]


def test_a_writer_that_lost_its_turn_commits_nothing(rig):
    """Somebody counted on since we read the counter: the compare-and-set sees it."""
    agent = rig.agent()
    rig.recorder()
    rig.queue(agent.say())
    rig.wait_settled(agent)
    rig.sql("UPDATE hf.campaign SET ledger_no = 7")
    rig.queue(agent.say())
    rig.wait_logged("changed by somebody else")
    rig.wait_settled(agent)
    assert rig.sql("SELECT no FROM hf.ledger ORDER BY no") == [["1"], ["8"]]


def test_a_ledger_that_was_put_back_is_refused_until_it_is_allowed_to_catch_up(rig):
    agent = rig.agent()
    rig.recorder()
    rig.queue(agent.say())
    rig.wait_settled(agent)
    backup = rig.dir / "backup"
    rig.kill("hf-recorder", 15)
    rig.dump(backup)
    rig.recorder()
    rig.queue(agent.say(), agent.say())
    rig.wait_settled(agent)
    rig.kill("hf-recorder", 15)
    rig.restore(backup)
    assert rig.sql("SELECT count(*) FROM hf.ledger") == [["1"]]
    rig.recorder()
    log = rig.wait_logged("recorder.halted") and rig.full_log()
    assert "hfctl recover postgres" in log
    rig.queue(agent.say())
    assert rig.procs["hf-recorder"].poll() is None
    assert rig.sql("SELECT count(*) FROM hf.ledger") == [["1"]]
    rig.sql("UPDATE hf.campaign SET catch_up = true")
    rig.wait_settled(agent)
    assert rig.sql("SELECT count(*), max(no), max(recorded_upto) FROM hf.ledger, hf.outbox") == [["4", "4", "4"]]
    wait_for("the permission is used up", lambda: rig.sql("SELECT catch_up FROM hf.campaign") == [["f"]])


def test_a_queue_store_that_is_older_than_the_ledger_is_refused(rig):
    agent = rig.agent()
    rig.recorder()
    rig.queue(agent.say(), agent.say())
    rig.wait_settled(agent)
    rig.kill("hf-recorder", 15)
    rig.redis.execute_command("FLUSHALL")
    rig.redis.sadd("hf:campaigns", "c1")
    rig.recorder()
    rig.wait_logged("hfctl recover redis")
    assert rig.route(("open", "1", os.urandom(16).hex(), "new")) == [[b"ok"]]
    wait_for("another store is seen", lambda: "another store than this epoch" in rig.full_log(), 30)
    assert rig.sql("SELECT count(*) FROM hf.ledger") == [["2"]]


def test_a_new_epoch_is_followed(rig):
    """After the loss of Redis: a new store, epoch 2, outboxes from where the ledger knows them."""
    agent = rig.agent()
    rig.recorder()
    rig.queue(agent.say())
    rig.wait_settled(agent)
    rig.redis.execute_command("FLUSHALL")
    rig.sql("INSERT INTO hf.epoch (campaign, epoch, incarnation, why, by_whom) VALUES "
            "('c1', 2, decode(repeat('ab', 16), 'hex'), 'lost', 'test')")
    rig.route(("open", "2", "ab" * 16, "lost"))
    rig.redis.hset("hf:{c1}:ob:" + agent.ob.hex(), mapping={"agent": agent.id.hex(), "upto": 1, "h": agent.h})
    rig.redis.hset("hf:{c1}:meta", "opseq", 1000)
    rig.redis.sadd("hf:campaigns", "c1")
    rig.queue(agent.say())
    rig.wait_settled(agent)
    assert rig.sql("SELECT log_epoch FROM hf.ledger ORDER BY no") == [["1"], ["2"]]


def test_missing_entries_halt_it(rig):
    agent = rig.agent()
    rig.recorder()
    rig.queue(agent.say())
    rig.wait_settled(agent)
    rig.kill("hf-recorder", 15)
    rig.queue(agent.say(), agent.say())
    newest = rig.redis.xrevrange("hf:{c1}:log", count=2)
    rig.redis.execute_command("XDEL", "hf:{c1}:log", newest[1][0])
    rig.recorder()
    rig.wait_logged("entries are missing")
    assert rig.sql("SELECT count(*) FROM hf.ledger") == [["1"]]


def test_a_mark_that_was_not_said_is_said_after_the_restart(rig):
    agent = rig.agent()
    rig.recorder()
    rig.queue(agent.say())
    rig.wait_settled(agent)
    rig.kill("hf-recorder")
    key = "hf:{c1}:ob:" + agent.ob.hex()
    rig.redis.hdel(key, "settled", "receipt1")
    rig.recorder()
    rig.wait_settled(agent)
    assert verify_receipt(rig, rig.redis.hget(key, "receipt1"))["upto"] == 1


def test_sigterm_ends_it_at_once_with_0_and_a_dead_part_ends_the_whole(rig):
    rig.recorder()
    rig.wait_logged("recorder.running")
    assert rig.kill("hf-recorder", 15) == 0
    p = rig.recorder()
    kids = [int(k) for k in open(f"/proc/{p.pid}/task/{p.pid}/children").read().split()]
    assert len(kids) == 2
    os.kill(kids[0], 9)
    assert p.wait(20) == 70
    del rig.procs["hf-recorder"]
    wait_for("the other part is gone too", lambda: not os.path.exists(f"/proc/{kids[1]}"))


def test_the_second_implementation_agrees_on_the_chain():
    agent = Agent()
    entry = agent.say(body=b"x")
    f0 = msgpack.unpackb(entry[11], raw=False)
    assert f0[4] == ZERO and f0[6] == b2(b"x") and f0[5] == agent.h and len(header(fields=ATTEMPT)) < 768


def test_every_kind_of_entry_is_known_to_the_recorder():
    """An entry that it does not know goes to quarantine, and the dashboard calls for help."""
    import pathlib
    import re
    root = pathlib.Path(__file__).resolve().parents[2]
    written = set(re.findall(r"append\('([a-z-]+)'", (root / "broker" / "queue.lua").read_text()))
    known = set(re.findall(r'\{"([a-z-]+)", on_', (root / "workers" / "recorder" / "fold.c").read_text()))
    assert written and written <= known, written - known
