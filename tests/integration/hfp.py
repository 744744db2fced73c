"""HFP/1 in Python, written from proto/PROTOCOL.md alone: frames, headers, hashes, seals, key files."""
import hashlib
import struct

import msgpack
from nacl import bindings
from nacl.exceptions import CryptoError
from nacl.signing import SigningKey, VerifyKey

# Section 2 and the sections of each kind: name, and the fields behind version and kind.
FRAMES = {
    1: ("HELLO", "campaign ob agent ob_sig epoch_seen opseq_seen head_seq head_h"),
    2: ("WELCOME", "campaign epoch opseq mode accepted_upto accepted_h settled_upto released_upto lease_ms "
                   "guard_ms wall campaign_time"),
    3: ("NEXT", "next_no person"),
    4: ("TAKE", "next_no person case"),
    5: ("GRANT", "next_no person case token rseq lease_ms pulled version due why key"),
    6: ("NONE", "next_no person reason retry_ms who"),
    7: ("RENEW", "case token rseq"),
    8: ("RENEWED", "case token rseq lease_ms"),
    9: ("LOST", "case token reason"),
    10: ("GIVEBACK", "case token reason"),
    12: ("RECORD", "ob seq prev_h h bc header sig next_no"),
    13: ("ACCEPTED", "ob seq h verdict epoch opseq receipt why"),
    14: ("NACK", "code kind ref expected text"),
    15: ("BLOB", "person hash size offset"),
    16: ("HAVE", "hash upto"),
    17: ("RECEIPT", "level ob upto h incarnation sig"),
    18: ("SYNC", "ob head_seq head_h settled_seen released_seen"),
    19: ("SYNCED", "ob accepted_upto accepted_h settled_upto released_upto mode epoch opseq wall campaign_time"),
    20: ("LOOK", "look_no person what page case"),
    21: ("SEEN", "look_no what page pages as_of code"),
}
KIND = {name: kind for kind, (name, _) in FRAMES.items()}

RECORDS = ("ATTEMPT NOTE NUMBER PAPER HANDOVER FINDING RELEASE STAGE PASS POLICY ABSENCE APPROVAL CORRECTION IMPORT "
           "COMMIT ENROL REVOKE PERSON SIGNOFF RULING WAIVER REOPEN ADOPT DISMISS REVEAL INQUIRY DRAW DISPUTE "
           "TIMER PAUSE DECISION MESSAGE").split()
FIELDS = ("outcome channel number seconds next_at next_do spoke ticks script concerns decide_by rung evidence line "
          "direction reason to to_team count n until import rows ref_ob ref_seq credit subject roles team qualified "
          "agent curve_pk sign_pk seed policy what source valid items open verdict version person_pk "
          "cases").split()
BODY = {"note": 1, "digits": 2, "kind": 3, "words": 4, "answered": 5, "name": 6, "rows": 7, "text": 8}
HEADER = ("version kind person token case expect id again boot t_start t_end t_entry server_wall server_boot pc_wall "
          "quality fields").split()
TASK = ("no name sex id_no province area rural school choice major address reporter batch numbers minor "
        "extra").split()

ZERO16 = bytes(16)
ZERO32 = bytes(32)


class Refused(Exception):
    """Bytes that HFP/1 does not have."""


# -- encoding ------------------------------------------------------------------------------------------

def pack(value):
    return msgpack.packb(value, use_bin_type=True)


def _spoken(value, depth=0):
    if isinstance(value, bool) or not isinstance(value, (int, bytes, str, list, type(None))):
        raise Refused(f"{type(value).__name__} is not spoken")
    if isinstance(value, int) and not 0 <= value < 1 << 63:
        raise Refused("number out of range")
    if isinstance(value, str) and "\0" in value:
        raise Refused("NUL in a string")
    if isinstance(value, list):
        if depth == 3 or len(value) > 4096:
            raise Refused("too deep or too long")
        for v in value:
            _spoken(v, depth + 1)


def unpack(data):
    """One value, in its one encoding."""
    try:
        value = msgpack.unpackb(data, raw=False)
    except Exception as e:
        raise Refused(str(e)) from e
    _spoken(value)
    if pack(value) != data:
        raise Refused("not the shortest form")
    return value


def frame(name, **fields):
    kind = KIND[name]
    names = FRAMES[kind][1].split()
    if set(names) != set(fields):
        raise ValueError(f"{name}: {set(names) ^ set(fields)}")
    return pack([1, kind] + [fields[n] for n in names])


def read_frame(f0):
    """(name, {field: value})"""
    value = unpack(f0)
    if len(f0) > 1024 or not isinstance(value, list) or len(value) < 2 or value[0] != 1 or value[1] not in FRAMES:
        raise Refused("not a frame that we speak")
    name, names = FRAMES[value[1]]
    names = names.split()
    if len(value) - 2 != len(names):
        raise Refused(f"{name}: wrong number of fields")
    return name, dict(zip(names, value[2:]))


def header(kind, person, fields=None, **rest):
    """A record's header (14.1); fields by name."""
    pairs = []
    for key, value in sorted((FIELDS.index(k) + 1, v) for k, v in (fields or {}).items()):
        pairs += [key, value]
    values = dict(version=1, kind=RECORDS.index(kind) + 1, person=person, token=0, case=None, expect=0, id=ZERO16,
                  again=0, boot=ZERO16, t_start=0, t_end=0, t_entry=0, server_wall=0, server_boot=0, pc_wall=0,
                  quality=0, fields=pairs)
    values.update(rest)
    return pack([values[n] for n in HEADER])


def read_header(data):
    h = dict(zip(HEADER, unpack(data)))
    h["kind"] = RECORDS[h["kind"] - 1]
    pairs = h["fields"]
    h["fields"] = {FIELDS[k - 1]: v for k, v in zip(pairs[::2], pairs[1::2])}
    return h


def body(**texts):
    """The plain text of a body; empty without texts."""
    pairs = []
    for key, value in sorted((BODY[k], v) for k, v in texts.items() if v):
        pairs += [key, value]
    return pack([1] + pairs) if pairs else b""


def _pairs(data, names):
    value = unpack(data)
    if value[0] != 1 or len(value) % 2 != 1:
        raise Refused("no pairs")
    return {names[k]: v for k, v in zip(value[1::2], value[2::2]) if k in names}


def read_body(data):
    return _pairs(data, {v: k for k, v in BODY.items()}) if data else {}


def read_task(data):
    return _pairs(data, {i + 1: name for i, name in enumerate(TASK)})


# -- hashes, seals, signatures -------------------------------------------------------------------------

def be64(n):
    return struct.pack(">Q", n)


def hash32(*parts, key=b""):
    return hashlib.blake2b(b"".join(parts), digest_size=32, key=key).digest()


def keyed8(key, data):
    return hashlib.blake2b(data, digest_size=8, key=key).digest()


def chain(prev_h, ob, seq, head, bc):
    return hash32(b"hf1", prev_h, ob, be64(seq), head, bc)


def agent_id(curve_pk, sign_pk):
    return hash32(b"hf1-agent", curve_pk, sign_pk)[:16]


def number_id(case_key, digits):
    return keyed8(case_key, digits.encode())


def index(index_key, what, text):
    return keyed8(index_key, what.encode() + b"\0" + text.encode())


def outbox_bytes(campaign, agent, ob):
    return b"hf1-outbox" + campaign.encode() + b"\0" + agent + ob


def login_bytes(campaign, person, agent, ob, start, until):
    return b"hf1-login" + campaign.encode() + b"\0" + person.encode() + b"\0" + agent + ob + be64(start) + be64(until)


def receipt_bytes(level, ob, upto, h, incarnation):
    return b"hf1-receipt" + bytes([level]) + ob + be64(upto) + h + incarnation


def accepted_bytes(ob, seq, h, verdict, epoch, opseq):
    return b"accepted" + ob + be64(seq) + h + be64(verdict) + be64(epoch) + be64(opseq)


def body_ad(case, ob, seq):
    return b"hf1-body" + (case or ZERO16) + ob + be64(seq)


def task_ad(case):
    return b"hf1-task" + case


def seal(key, plain, ad, nonce):
    return nonce + bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(plain, ad, nonce, key)


def open_seal(key, sealed, ad):
    try:
        return bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(sealed[24:], ad, sealed[:24], key)
    except (CryptoError, TypeError, ValueError) as e:
        raise Refused("the seal does not fit") from e


def sign(seed, data):
    return SigningKey(seed).sign(data).signature


def verified(pk, data, sig):
    try:
        VerifyKey(pk).verify(data, sig)
        return True
    except CryptoError:
        return False


def public(seed):
    return bytes(SigningKey(seed).verify_key)


# -- what an enrolment wrote ---------------------------------------------------------------------------

def settings(path):
    """key = "value" lines."""
    out = {}
    for line in path.read_text().splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            key, _, value = line.partition("=")
            out[key.strip()] = value.strip().strip('"')
    return out


def pin_key(pin, salt):
    return bindings.crypto_pwhash_alg(32, pin.encode(), salt, 3, 64 << 20, bindings.crypto_pwhash_ALG_ARGON2ID13)


def person_seed(path, person, pin=None):
    """The Ed25519 seed in persons/<person>.key (14.4)."""
    conf = settings(path)
    if conf.get("unattended") == "1":
        return bytes.fromhex(conf["seed"])
    key = pin_key(pin, bytes.fromhex(conf["salt"]))
    return open_seal(key, bytes.fromhex(conf["sealed"]), b"hf1-person" + person.encode())
