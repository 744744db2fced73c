"""The night and the roster against a plain COPY of the same rows, in one run; the sizes are the caller's.

night(cases) and roster(rows, format) measure and say what they saw; part() is for the table of `make bench`."""
import json
import os
import pathlib
import subprocess
import sys
import time

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))

from fill import Filled, cpu, measured  # noqa: E402
from stack import BIN, Stack, wait_for  # noqa: E402

ROWS = int(os.environ.get("BENCH_SCALE", "10000"))


def copied(s, *queries):
    """Seconds of COPY out of the database, to nowhere."""
    begun = time.monotonic()
    for query in queries:
        subprocess.run(["psql", "-qAt", "-h", s.dir, "-U", "huifang", "-d", "huifang", "-c", f"COPY ({query}) TO STDOUT"],
                       check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - begun


def run(s, *more):
    """A run of the night: (seconds, MiB, exit, its JSON, {CPU seconds by program})."""
    before = cpu(s)
    took, peak, code, out, own = measured([BIN / "hfctl", "--json", "reconcile", "run", *more], s.env())
    s.psql("SELECT 1")  # its own server has ended, and is added up
    return took, peak, code, json.loads(out), {**since(s, before), "hf-reconcile": own}


def since(s, before):
    return {name: v - before[name] for name, v in cpu(s).items()}


def night(cases):
    """Four runs by name: the first night; a later run with nothing new; one after 1 % of cases moved and had a contact each;
    and the next night, which counts everything again. With "copy", the seconds of COPY, and "good"."""
    with Filled(cases) as s:
        copy = copied(s, "SELECT * FROM hf.case_state", "SELECT * FROM hf.ledger")
        runs = {"first": run(s), "again": run(s)}
        s.say_more(cases // 100)
        s.move(0, cases // 100)
        runs["new"] = run(s)
        s.next_day()
        runs["next"] = run(s)
        good = all(r[2] == 0 for r in runs.values()) and runs["new"][3]["moved"] == cases // 100 and s.sql(
            "SELECT sum(attempts) FROM hf.v_figure") == [[str(cases * s.contacts + cases // 100)]]
        return {"cases": cases, "copy": copy, "good": good, "peak": max(r[1] for r in runs.values()), **runs}


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
        before, begun = cpu(s), time.monotonic()
        _, peak, code, _, own = measured([BIN / "hfctl", "roster", "import", s.dir / f"r.{kind}"], s.env(), cwd=s.dir)
        wait_for("all cases are there", lambda: s.redis.hlen("hf:{c1}:cases") >= rows or code != 0, 1800)
        took = time.monotonic() - begun
        return {"rows": rows, "took": took, "peak": peak, "copy": copy, "cpu": {**since(s, before), "hfctl": own},
                "good": code == 0 and s.redis.hlen("hf:{c1}:cases") == rows}


def part():
    print(f"scale: {ROWS} cases, {ROWS} rows of a roster", file=sys.stderr, flush=True)
    n = night(ROWS)
    out = [(f"a night of {ROWS} cases with 6 contacts each, s", f"{n['first'][0]:.1f}",
            f"night / COPY of the same rows = {n['first'][0] / n['copy']:.1f}; again the same night {n['again'][0]:.1f}; "
            f"{n['peak']:.0f} MiB")]
    for kind in ("csv", "xlsx"):
        r = roster(ROWS, kind)
        out.append((f"a roster of {ROWS} rows, {kind}, until its cases are there, s", f"{r['took']:.1f}",
                    f"import / COPY of the same rows = {r['took'] / r['copy']:.1f}; {r['peak']:.0f} MiB"))
    return out
