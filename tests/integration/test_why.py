"""hfctl why and case why: each reason why nothing comes and each place where a case waits, in one plain Chinese line.
Redis alone says them; no daemon runs."""
import json
import re

import pytest

from agent import ROLES
from router_rig import HOUR, MONDAY, Rig
from stack import ROOT

NEVER = 253402185600000


@pytest.fixture(scope="module")
def rig():
    with Rig() as r:
        r.clock(MONDAY)
        yield r


def why(rig, person, **meta):
    """What is said of the person, with these fields of the campaign."""
    usual = {"gate": 0, "mode": 0, "paused": 0, "paused_by": "", "paused_why": ""}
    rig.redis.hset(rig.key("meta"), mapping={**usual, **meta})
    said = json.loads(rig.ctl("--json", "why", person).stdout)
    plain = rig.ctl("why", person).stdout
    assert said["text"] in plain and ("领不到: " in plain) == (said["reason"] != "")
    assert not re.search(r"\b[a-z]+-[a-z]+\b", said["text"].replace("hf-router", "")), said["text"]
    rig.redis.hset(rig.key("meta"), mapping=usual)
    return said["reason"], said["text"]


def person(rig, name, roles="caller", team="t1", qualified=1, active=1, offer="own:{0}:promise own:{0}:retry pool"):
    bits = sum(ROLES[r] for r in roles.split())
    rig.redis.hset(rig.key("persons"), name, f"{bits} {team} {qualified} - {active}")
    rig.redis.hset(rig.key("offer"), name, ("5 " + offer.format(name)).strip())


def test_why_nothing_comes(rig):
    pool, retry = rig.key("lane:pool"), rig.key("lane:own:ann:retry")
    person(rig, "ann")
    rig.redis.zadd(pool, {b"x" * 16: MONDAY - HOUR})
    assert why(rig, "ann")[0] == "" and "1 个到时间的" in why(rig, "ann")[1]
    assert why(rig, "ann", gate=MONDAY + HOUR) == (
        "hours", "不在拨打时间, 到 2026-03-02 10:00 开放; 自己名单里的照样可以打开, 打来的照样记")
    rig.redis.hset(rig.key("router"), "book", " stage=2 pass=0 ")
    assert why(rig, "ann", gate=NEVER) == ("no-pass", "第 2 阶段没有开着的批次, 等数据组开下一批 (hfctl pass open)")
    assert why(rig, "ann", mode=1)[0] == "recovering"
    assert why(rig, "ann", paused=1, paused_by="opr", paused_why="检修")[1].startswith("opr 暂停了发放: 检修")
    # dry pool, and when the own list goes on
    rig.redis.delete(pool)
    assert why(rig, "ann") == ("dry", "公共池空了, 自己名单里没有到时间的")
    rig.redis.zadd(retry, {b"y" * 16: MONDAY + 2 * HOUR})
    assert why(rig, "ann") == ("dry", "公共池空了, 自己名单里没有到时间的, 最早的一个到 2026-03-02 11:00")
    rig.redis.zadd(pool, {b"x" * 16: MONDAY - HOUR})
    person(rig, "ann", offer="own:{0}:promise own:{0}:retry")  # the router gives no pool: the share is used up
    assert why(rig, "ann")[0] == "share" and "已领满" in why(rig, "ann")[1]
    # the limit in hand: one pulled case
    person(rig, "ann")
    hand = b"x" * 16 + b"0000010000000001" + b"1" + b"0" * 32
    rig.redis.hset(rig.key("hands"), "ann", hand)
    assert why(rig, "ann")[0] == "limit"
    rig.redis.hdel(rig.key("hands"), "ann")
    person(rig, "ann", offer="")
    assert why(rig, "ann")[0] == "no-offer"
    for row, reason in (({"qualified": 0}, "unqualified"), ({"team": "-"}, "unqualified"), ({"active": 0}, "stopped"),
                        ({"roles": "supervisor"}, "role"), ({"roles": "strike", "team": "-"}, "")):
        person(rig, "bob", **row)
        assert why(rig, "bob")[0] == reason, row
    assert rig.ctl("why", "nobody", check=False).returncode == 1


PLACES = (  # lane, due, reason of the place -> what must be in the line
    ("unreleased", MONDAY, "imported", ("未放出", "等数据组放号", "已导入")),
    ("pool", MONDAY - HOUR, "released", ("公共池", "等下一个领取的人")),
    ("own:ann:first", MONDAY, "reserved", ("ann 的名单(首拨)", "自 2026-03-02 09:00 等人", "报备给本人")),
    ("own:ann:promise", MONDAY + HOUR, "agreed-time", ("到 2026-03-02 10:00 才轮到", "按约定时间打")),
    ("own:ann:retry", MONDAY + HOUR, "other-daypart", ("重拨", "换时段再打")),
    ("own:ann:due", MONDAY, "rung-7", ("到期的", "114")),
    ("own:ann:asked", MONDAY + HOUR, "agreed-time", ("对方要求晚些打的",)),
    ("team:t1", MONDAY, "hand-up", ("t1 组长处", "转组长")),
    ("team:t1:hot", MONDAY, "late-promise", ("t1 组长处(急)", "约定的电话没打")),
    ("strike", MONDAY, "strike", ("突击组", "等人接手")),
    ("strike:hot", MONDAY, "strike-late", ("突击组(急)", "时限已过")),
    ("papers", MONDAY, "signed-once", ("材料", "等第二人")),
    ("supervision", MONDAY, "incident", ("督查组", "停止拨打")),
    ("triage", MONDAY, "retry", ("待分派", "路由")),
    ("parked", 0, "not-readable", ("搁置", "hfctl case free", "请人看")),
    ("doubt", MONDAY, "retry", ("存疑",)),
    ("resting", MONDAY + 24 * HOUR, "rests", ("休眠", "到 2026-03-03 09:00 才轮到")),
    ("resting", NEVER, "rests-no-calls", ("没有日期", "要求别再打")),
    ("terminal", NEVER, "registered", ("已办结", "已报到")),
)


@pytest.mark.parametrize("lane,due,reason,words", PLACES)
def test_why_a_case_is_there(rig, lane, due, reason, words):
    case = b"c" * 16
    rig.redis.hset(rig.key("cases"), case, f"3|ann|-|{lane}|{due}|{'0' * 16}|0|0||-|1-1|{reason}|")
    said = json.loads(rig.ctl("--json", "case", "why", case.hex()).stdout)
    assert rig.ctl("case", "why", case.hex()).stdout == said["text"] + "\n"
    for word in words:
        assert word in said["text"], said["text"]
    assert reason not in said["text"]  # no code where words are wanted


def test_every_reason_has_plain_words(rig):
    """The law's reasons (proto/why.h): Chinese, and none is shown as a code."""
    table = dict(re.findall(r'X\([A-Z_0-9]+, "([a-z0-9-]+)", *"([^"]*)"\)',
                            (ROOT / "proto/why.h").read_text().replace("\\\n", " ")))
    assert len(table) > 60
    for code, text in table.items():
        assert code == "none" or re.search(r"[\u4e00-\u9fff]", text), code
