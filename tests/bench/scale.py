"""The night and the roster against a plain COPY of the same rows, in one run; the sizes are the caller's.

night(cases) and roster(rows, format) measure and say what they saw; part() is for the table of `make bench`."""
import os
import pathlib
import subprocess
import sys
import time

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))

from fill import Filled, measured  # noqa: E402
from stack import BIN, Stack, wait_for  # noqa: E402

ROWS = int(os.environ.get("BENCH_SCALE", "10000"))


def copied(s, *queries):
    """Seconds of COPY out of the database, to nowhere."""
    begun = time.monotonic()
    for query in queries:
        subprocess.run(["psql", "-qAt", "-h", s.dir, "-U", "huifang", "-d", "huifang", "-c", f"COPY ({query}) TO STDOUT"],
                       check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - begun


def night(cases):
    """{"cases","first","again","peak","copy","good"}: the first night (counts all), a later run (counts what is new)."""
    with Filled(cases) as s:
        copy = copied(s, "SELECT * FROM hf.case_state", "SELECT * FROM hf.ledger")
        first = measured([BIN / "hfctl", "--json", "reconcile", "run"], s.env())
        again = measured([BIN / "hfctl", "--json", "reconcile", "run"], s.env())
        good = first[2] == 0 and again[2] == 0 and s.sql("SELECT sum(attempts) FROM hf.v_figure") == [[str(cases * s.contacts)]]
        return {"cases": cases, "first": first[0], "again": again[0], "peak": max(first[1], again[1]), "copy": copy, "good": good}


def roster(rows, kind):
    """{"rows","took","peak","copy","good"}: until the last case is there. COPY: the same CSV into a table without keys."""
    with Stack(pg=True) as s:
        (s.dir / "recorder.conf").write_text("archive_same_device = true\n")
        s.redis.config_set("maxmemory", "8gb")
        s.ctl("db", "migrate")
        for name in ("hf-recorder", "hf-broker", "hf-router"):
            s.daemon(name)
        s.ctl("campaign", "create", "c1")
        for form in {"csv", kind}:
            subprocess.run([BIN / "hf-sample", "--rows", str(rows), "--seed", "3", "--format", form, "--out", s.dir / f"r.{form}"],
                           check=True)
        columns = open(s.dir / "r.csv", encoding="utf-8-sig").readline().count(",") + 1
        s.sql(f"CREATE TABLE plain ({', '.join(f'c{i} text' for i in range(columns))})")
        begun = time.monotonic()
        s.sql(f"\\copy plain FROM '{s.dir}/r.csv' CSV HEADER")
        copy = time.monotonic() - begun
        begun = time.monotonic()
        _, peak, code, _ = measured([BIN / "hfctl", "roster", "import", s.dir / f"r.{kind}"], s.env(), cwd=s.dir)
        wait_for("all cases are there", lambda: s.redis.hlen("hf:{c1}:cases") >= rows or code != 0, 1800)
        took = time.monotonic() - begun
        return {"rows": rows, "took": took, "peak": peak, "copy": copy,
                "good": code == 0 and s.redis.hlen("hf:{c1}:cases") == rows}


def part():
    print(f"scale: {ROWS} cases, {ROWS} rows of a roster", file=sys.stderr, flush=True)
    n = night(ROWS)
    out = [(f"a night of {ROWS} cases with 6 contacts each, s", f"{n['first']:.1f}",
            f"night / COPY of the same rows = {n['first'] / n['copy']:.1f}; again the same night {n['again']:.1f}; "
            f"{n['peak']:.0f} MiB")]
    for kind in ("csv", "xlsx"):
        r = roster(ROWS, kind)
        out.append((f"a roster of {ROWS} rows, {kind}, until its cases are there, s", f"{r['took']:.1f}",
                    f"import / COPY of the same rows = {r['took'] / r['copy']:.1f}; {r['peak']:.0f} MiB"))
    return out
