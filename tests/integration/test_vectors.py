"""The golden vectors, read and made again by an implementation that shares no line with ours."""
import json
import pathlib
import re

import pytest

import hfp

ROOT = pathlib.Path(__file__).resolve().parents[2]
V = json.loads((ROOT / "tests" / "golden" / "vectors.json").read_text())
W = V["world"]


def raw(text):
    return bytes.fromhex(text)


def value_of(x):
    """In words to values: "hex:…" is bytes."""
    if isinstance(x, list):
        return [value_of(v) for v in x]
    if isinstance(x, str) and x.startswith("hex:"):
        return raw(x[4:])
    return x


@pytest.mark.parametrize("v", V["frames"], ids=lambda v: v["name"])
def test_a_frame_reads_as_its_words_and_is_written_as_its_bytes(v):
    name, fields = hfp.read_frame(raw(v["f0"]))
    assert (name, hfp.KIND[name]) == (v["name"], v["kind"])
    assert fields == {k: value_of(x) for k, x in v["fields"].items()}
    assert hfp.frame(name, **fields) == raw(v["f0"])
    if "f1_in_words" in v:
        assert hfp.unpack(raw(v["f1"])) == value_of(v["f1_in_words"])
        assert hfp.pack(value_of(v["f1_in_words"])) == raw(v["f1"])


def test_there_is_a_vector_of_every_kind():
    assert [v["kind"] for v in V["frames"]] == sorted(hfp.FRAMES)


def test_the_chain_is_recomputed_from_headers_and_bodies():
    prev, ob = hfp.ZERO32, raw(W["ob"])
    for v in V["chain"]:
        assert prev == raw(v["prev_h"])
        bc = hfp.hash32(raw(v["body"]))
        h = hfp.chain(prev, ob, v["seq"], raw(v["header"]), bc)
        assert (bc, h) == (raw(v["bc"]), raw(v["h"]))
        assert hfp.sign(raw(W["agent_sign"]["seed"]), h) == raw(v["sig"])
        assert hfp.verified(raw(W["agent_sign"]["pk"]), h, raw(v["sig"]))
        prev = h


def test_headers_and_bodies_are_made_again_from_words():
    for v in V["chain"]:
        words = value_of(v["header_in_words"])
        h = hfp.read_header(raw(v["header"]))
        assert hfp.unpack(raw(v["header"])) == words
        assert hfp.header(h.pop("kind"), h.pop("person"), h.pop("fields"), **h) == raw(v["header"])
        if not v["body"]:
            continue
        key, case = raw(v["key"]), words[4]
        assert key == raw(W["case_key"] if case else W["campaign_key"])
        plain = hfp.body(**hfp.read_body(raw(v["plain"])))
        assert plain == raw(v["plain"])
        ad = hfp.body_ad(case, raw(W["ob"]), v["seq"])
        assert hfp.seal(key, plain, ad, raw(v["nonce"])) == raw(v["body"])
        assert hfp.open_seal(key, raw(v["body"]), ad) == plain
        with pytest.raises(hfp.Refused):
            hfp.open_seal(key, raw(v["body"]), hfp.body_ad(case, raw(W["ob"]), v["seq"] + 1))


def test_the_record_frame_carries_the_first_of_the_chain():
    record = next(v for v in V["frames"] if v["name"] == "RECORD")
    _, f = hfp.read_frame(raw(record["f0"]))
    first = V["chain"][0]
    assert f["header"] == raw(first["header"]) and f["h"] == raw(first["h"]) and f["sig"] == raw(first["sig"])
    assert raw(record["f1"]) == raw(first["body"])


def test_the_task_is_sealed_for_its_case():
    t = V["task"]
    assert hfp.unpack(raw(t["plain"])) == value_of(t["plain_in_words"])
    assert hfp.seal(raw(W["case_key"]), raw(t["plain"]), hfp.task_ad(raw(W["case"])), raw(t["nonce"])) == raw(t["sealed"])
    task = hfp.read_task(hfp.open_seal(raw(W["case_key"]), raw(t["sealed"]), hfp.task_ad(raw(W["case"]))))
    assert task["no"] == "26110101000001" and task["rural"] == 1 and task["minor"] == 1
    assert task["numbers"][1] == ["mother", "19900005678", "晚上"]
    assert task["extra"] == ["备注列", "走读"]


def test_agent_outbox_and_login_are_signed_as_the_text_says():
    agent, ob = raw(W["agent"]), raw(W["ob"])
    assert hfp.agent_id(raw(W["curve_pk"]), raw(W["agent_sign"]["pk"])) == agent
    for pair in ("agent_sign", "person", "recorder"):
        assert hfp.public(raw(W[pair]["seed"])) == raw(W[pair]["pk"])
    data = hfp.outbox_bytes(W["campaign"], agent, ob)
    assert data == raw(V["outbox"]["bytes"])
    assert hfp.sign(raw(W["agent_sign"]["seed"]), data) == raw(V["outbox"]["sig"])
    v = V["login"]
    data = hfp.login_bytes(W["campaign"], v["person"], agent, ob, v["from"], v["until"])
    assert data == raw(v["bytes"])
    assert hfp.sign(raw(W["person"]["seed"]), data) == raw(v["sig"])
    hello = next(x for x in V["frames"] if x["name"] == "HELLO")
    assert value_of(hello["fields"]["ob_sig"]) == raw(V["outbox"]["sig"])
    assert value_of(hello["f1_in_words"])[0][0] == [v["person"], v["from"], v["until"], raw(v["sig"])]


def test_receipts_of_recorder_and_broker():
    _, f = hfp.read_frame(raw(next(v for v in V["frames"] if v["name"] == "RECEIPT")["f0"]))
    data = hfp.receipt_bytes(f["level"], f["ob"], f["upto"], f["h"], f["incarnation"])
    assert data == raw(V["receipt"]["bytes"])
    assert hfp.sign(raw(W["recorder"]["seed"]), data) == f["sig"] == raw(V["receipt"]["sig"])
    assert f["h"] == raw(V["chain"][f["upto"] - 1]["h"])
    _, f = hfp.read_frame(raw(next(v for v in V["frames"] if v["name"] == "ACCEPTED")["f0"]))
    data = hfp.accepted_bytes(f["ob"], f["seq"], f["h"], f["verdict"], f["epoch"], f["opseq"])
    assert hfp.hash32(data, key=raw(W["receipt_key"])) == f["receipt"] == raw(V["accepted"]["receipt"])


def test_numbers_and_indexes():
    v = V["number"]
    assert hfp.number_id(raw(W["case_key"]), v["digits"]) == raw(v["id"])
    assert hfp.index(raw(W["index_key"]), "num", v["digits"]) == raw(v["index"])
    assert hfp.index(raw(W["index_key"]), "no", V["no"]["no"]) == raw(V["no"]["index"])
    attempt = hfp.read_header(raw(V["chain"][0]["header"]))
    assert attempt["fields"]["number"] == raw(v["id"])


def test_a_row_that_says_more_is_the_row_and_what_follows():
    v = V["rows"]
    ((*row, why, meters, last),) = hfp.unpack(raw(v["more"]))
    assert hfp.pack([[*row, why, meters, last]]) == raw(v["more"]) and hfp.unpack(raw(v["less"])) == [row]
    assert value_of(v["more_in_words"]) == [[*row, why, meters, last]]
    assert (why, meters[:3], meters[5]) == ("hand-up", [3, 1, 185], 0) and meters[4] == meters[3] + 1
    assert last == [raw(W["ob"]), 3, raw(V["chain"][2]["header"]), b""]


def test_a_key_under_a_pin_opens(tmp_path):
    v = V["person_key"]
    path = tmp_path / "wang.key"
    path.write_text(f'salt = "{v["salt"]}"\nsealed = "{v["sealed"]}"\n')
    assert hfp.pin_key(v["pin"], raw(v["salt"])) == raw(v["key"])
    assert hfp.person_seed(path, v["person"], v["pin"]) == raw(W["person"]["seed"])
    with pytest.raises(hfp.Refused):
        hfp.person_seed(path, v["person"], "0000")
    with pytest.raises(hfp.Refused):
        hfp.person_seed(path, "li", v["pin"])


def test_the_examples_in_the_text_are_the_vectors():
    text = (ROOT / "proto" / "PROTOCOL.md").read_text().split("## 16 ")[-1]
    blocks = [re.sub(r"\s", "", b) for b in re.findall(r"(?:^    [0-9a-f]+\n)+", text, re.M)]
    record, first = next(v for v in V["frames"] if v["name"] == "RECORD"), V["chain"][0]
    ad = hfp.body_ad(raw(W["case"]), raw(W["ob"]), 1).hex()
    hashed = (b"hf1" + hfp.ZERO32 + raw(W["ob"]) + hfp.be64(1) + raw(first["header"]) + raw(first["bc"])).hex()
    assert blocks == [next(v for v in V["frames"] if v["name"] == "NEXT")["f0"], first["plain"], ad, first["body"],
                      first["bc"], first["header"], hashed, first["h"], first["sig"], record["f0"]]
