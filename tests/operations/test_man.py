"""The manual pages say what the programs have: every verb, option, setting, metric; and man reads them."""
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "deploy" / "man").glob("*.scd"))
BIN = Path(os.environ.get("HF_BIN") or ROOT / "build" / "bin")
ROW = re.compile(r'\{"([a-z][a-z_]*)",\s*CONF_(INT|STR|BOOL),\s*("[^"]*"|NULL),\s*(\w+),\s*(\w+),', re.S)
TABLES = [  # the source of a settings table, its name there, the page of its keys
    ("broker/settings.c", "keys", "hf-broker.8"),
    ("workers/recorder/main.c", "settings", "hf-recorder.8"),
    ("workers/escalation/main.c", "settings", "hf-router.8"),
    ("workers/link/home.c", "keys", "hf-env.conf.5"),
    ("workers/link/identity.c", "agent_keys", "hf-env.conf.5"),
    ("workers/link/identity.c", "person_keys", "hf-env.conf.5"),
]


def page(name):
    """The source of a page as words: without the marks of scdoc."""
    return (ROOT / "deploy" / "man" / f"{name}.scd").read_text().replace("*", "").replace("\\_", "_")


def verbs():
    for path in sorted((ROOT / "ctl").glob("cmd_*.c")):
        for table in re.findall(r"const struct verb verbs_\w+\[\] = \{(.*?)\n\};", path.read_text(), re.S):
            for noun, verb in re.findall(r'\{"([a-z-]+)",\s*(?:"([a-z-]+)"|NULL),\s*\w+,', table):
                yield f"{noun} {verb}".strip()


def settings():
    for source, table, where in TABLES:
        path = ROOT / source
        if not path.exists():
            continue
        body = re.search(rf"struct conf_key {table}\[\] = \{{(.*?)\n\}};", path.read_text(), re.S).group(1)
        rows = ROW.findall(body)
        assert rows, source
        for key, kind, default, least, most in rows:
            yield pytest.param(where, key, kind, default.strip('"'), least, most, id=f"{source}:{key}")


def defined(text, term):
    """What the page says of a term that begins a line."""
    found = re.search(rf"^{re.escape(term)}(?![\w-]).*\n((?:\t.*\n|\n(?=\t))+)", text, re.M)
    return found and " ".join(found.group(1).split())


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    out = tmp_path_factory.mktemp("man")
    for source in SOURCES:
        with source.open() as text, (out / source.stem).open("w") as made:
            subprocess.run(["scdoc"], stdin=text, stdout=made, check=True, timeout=10)
    return out


@pytest.mark.parametrize("verb", sorted(verbs()))
def test_hfctl_has_every_verb(verb):
    text = page("hfctl.1")
    assert re.search(rf"^(.*, )?{verb}(?![a-z-])(.*, |.*\n\t|.*$)", text, re.M), verb


def test_there_are_verbs():
    assert len(set(verbs())) >= 22


def test_no_page_speaks_of_a_verb_that_is_not_there():
    known = set(verbs())
    nouns = {v.split()[0] for v in known}
    for source in SOURCES:
        for words in re.findall(r"\*hfctl ([a-z][^*]*)\*", source.read_text()):
            first, *rest = words.split()
            assert first in nouns, (source.name, words)
            assert first in known or f"{first} {rest[0] if rest else ''}" in known, (source.name, words)


@pytest.mark.parametrize("where,key,kind,default,least,most", list(settings()))
def test_a_setting_stands_in_its_page(where, key, kind, default, least, most):
    said = defined(page(where), key)
    assert said, f"{where}: {key} is missing"
    if kind == "INT" and least.isdigit() and most.isdigit():
        assert f"{least} to {most}" in said, (where, key, said)
    if kind != "STR":
        assert f"Default: {default}" in said, (where, key, said)


def test_the_dashboard_page_has_every_metric_and_no_other():
    names = set(re.findall(r"\bhf_[a-z_]+\b", (ROOT / "dashboard" / "print.c").read_text()))
    assert len(names) > 10
    said = page("hf-dashboard.8").partition("# METRICS")[2].partition("\n# ")[0]
    assert names == set(re.findall(r"\bhf_[a-z_]+\b", said))


def test_the_caller_page_has_every_command():
    table = re.search(r"\} commands\[\] = \{(.*?)\n\};", (ROOT / "workers/caller/commands.c").read_text(), re.S)
    names = re.findall(r'\{"([a-z-]+)",', table.group(1))
    assert len(names) >= 9
    assert [n for n in names if not defined(page("hf-caller.1"), n)] == []


def test_the_caller_page_has_every_answer_and_error():
    said = page("hf-caller.1")
    code = "".join((ROOT / "workers/caller" / f).read_text() for f in ("commands.c", "desk.c", "events.c", "lines.c",
                                                                         "entry.c", "pages.c", "door.c", "views.c"))
    answers = set(re.findall(r'(?:desk_say|desk_answer|say_upto)\(d,\s*"([a-z-]+)"', code))
    errors = set(re.findall(r'(?:desk_error\(\s*\S+?,|desk_error_object\(|refuse\(\s*(?:&r(?:->|[.]))?why,)'
                            r'\s*"([a-z-]+)"', code))
    assert {"task", "stored", "error"} <= answers and {"bad-json", "disk-full", "no-key"} <= errors
    assert [a for a in sorted(answers) if not re.search(rf"^(.*, )?{a}(,|$)", said, re.M)] == []
    assert [e for e in sorted(errors) if not re.search(rf"(?<![a-z-]){e}(?![a-z-])", said)] == []


@pytest.mark.parametrize("program", [
    "hf-broker.8", "hf-router.8", "hf-recorder.8", "hf-dashboard.8", "hf-reconcile.1", "hf-import.1", "hf-sample.1",
    "hf-caller.1", "hfctl.1"])
def test_every_option_of_help_is_in_the_page(program):
    name, _, _ = program.partition(".")
    if not (BIN / name).exists():
        pytest.skip(f"{name} is not built")
    done = subprocess.run([BIN / name, "--help"], capture_output=True, text=True, check=False, timeout=10)
    assert done.returncode == 0, done.stderr
    options = set(re.findall(r"(?<![\w-])--[a-z]+(?:-[a-z]+)*", done.stdout))
    text = page(program)
    assert [o for o in sorted(options) if not re.search(re.escape(o) + r"(?![\w-])", text)] == []


@pytest.mark.parametrize("source", SOURCES, ids=lambda s: s.stem)
def test_man_reads_it_without_a_complaint(built, source):
    env = {**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "80"}
    done = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", built / source.stem],
                          capture_output=True, text=True, check=False, env=env, timeout=30)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\nNAME\n" in re.sub(".\b", "", done.stdout)


@pytest.mark.parametrize("source", SOURCES, ids=lambda s: s.stem)
def test_whatis_finds_it(built, source):
    done = subprocess.run(["lexgrog", built / source.stem], capture_output=True, text=True, check=False, timeout=10)
    assert done.returncode == 0, done.stdout
    assert f'"{source.stem.rpartition(".")[0]} - ' in done.stdout


@pytest.mark.parametrize("source", SOURCES, ids=lambda s: s.stem)
def test_what_it_refers_to_is_there(source):
    there = {f"{s.stem.rpartition('.')[0]}({s.stem.rpartition('.')[2]})" for s in SOURCES}
    named = set(re.findall(r"\b(?:hf[a-z.-]*|huifang[a-z-]*)\(\d\)", page(source.stem)))
    assert named - there == set()


def test_the_folder_is_described():
    said = (ROOT / "deploy" / "README.md").read_text()
    tracked = subprocess.run(["git", "ls-files", "deploy"], cwd=ROOT, check=True, capture_output=True, text=True,
                             timeout=10).stdout.split()
    parts = {"/".join(f.split("/")[:2]) for f in tracked} - {"deploy/README.md"}
    assert [p for p in sorted(parts) if f"({p.removeprefix('deploy/')}" not in said] == []


def test_units_refer_to_pages_that_are_there():
    for unit in (ROOT / "deploy" / "systemd").glob("*.service"):
        for name, section in re.findall(r"^Documentation=man:([\w-]+)\((\d)\)$", unit.read_text(), re.M):
            assert (ROOT / "deploy" / "man" / f"{name}.{section}.scd").exists(), unit.name


def test_they_are_installed_where_man_looks(tmp_path):
    if shutil.which("scdoc") is None or not BIN.exists():
        pytest.skip("not built")
    run = subprocess.run(["make", "-n", "install", f"DESTDIR={tmp_path}", "PREFIX=/usr"], cwd=ROOT, check=True,
                         capture_output=True, text=True, timeout=60)
    for source in SOURCES:
        assert f"share/man/man{source.stem.rpartition('.')[2]}/{source.stem}" in run.stdout
