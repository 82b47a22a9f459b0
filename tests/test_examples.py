"""The examples of scheduling are true: commands exist, exit codes are ours, and only 75 is tried again."""

from __future__ import annotations

import ast
import re
import runpy
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Self

import pytest
import typer
import yaml

from touchline.pipelines.cli import app
from touchline.pipelines.exits import Exit

ROOT = Path(__file__).parents[1]
SCHEDULE = ROOT / "examples" / "schedule"
PYTHON = sorted(SCHEDULE.glob("*.py"))
PAGE = ROOT / "docs" / "how-to" / "schedule.md"
AT_NIGHT = {Exit.OK, Exit.BUG, Exit.USAGE, Exit.BAD_DATA, Exit.BAD_PLAYBOOK}
AT_NIGHT |= {Exit.NO_MODEL, Exit.NO_STORE, Exit.TRY_LATER}
ON_REQUEST = {130, 143}
"""128 + SIGINT and 128 + SIGTERM."""

# --- What the files say -----------------------------------------------------------------------------------------


def cron_job() -> tuple[list[str], str]:
    """The five fields and the command of the one job in the crontab."""
    lines = [line for line in (SCHEDULE / "crontab").read_text().splitlines() if line and not line.startswith("#")]
    (job,) = (line for line in lines if not re.match(r"\w+=", line))
    *fields, command = job.split(maxsplit=5)
    return fields, command


def cron_job_of_kubernetes() -> dict[str, Any]:
    return yaml.safe_load((SCHEDULE / "kubernetes-cronjob.yaml").read_text())


def pod() -> dict[str, Any]:
    return cron_job_of_kubernetes()["spec"]["jobTemplate"]["spec"]["template"]["spec"]


def containers() -> list[dict[str, Any]]:
    return [*pod()["initContainers"], *pod()["containers"]]


def in_shell(text: str) -> Iterator[list[str]]:
    """Every simple command of a line of shell that begins with `touchline`."""
    words = shlex.shlex(text, posix=True, punctuation_chars=True)
    words.whitespace_split = True
    command: list[str] = []
    for word in [*words, ";"]:
        if set(word) <= set(";&|()<>"):
            if "touchline" in command:
                yield command[command.index("touchline") :]
            command = []
        else:
            command.append(word)


def commands() -> Iterator[tuple[str, list[str]]]:
    """Where it stands, and what is run, of every call of the command line in the examples and their page."""
    for command in in_shell(cron_job()[1]):
        yield "crontab", command
    for path in PYTHON:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("touchline "):
                yield path.name, shlex.split(node.value)
    for container in containers():
        yield "kubernetes-cronjob.yaml", ["touchline", *container["args"]]
    for line in re.findall(r"^    (touchline .*)$", PAGE.read_text(), re.MULTILINE):
        yield PAGE.name, shlex.split(line)


def take(command: list[str]) -> str:
    """Let the command line itself read a command, without running it; gives the name of the subcommand."""
    found, words = typer.main.get_command(app), command[1:]
    while hasattr(found, "commands"):
        found, words = found.commands[words[0]], words[1:]  # type: ignore[attr-defined]
    with found.make_context(found.name, list(words)):
        return str(found.name)


# --- Commands ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("where", "command"), [pytest.param(w, c, id=f"{w}: {c[1]}") for w, c in commands()])
def test_the_command_line_takes_what_the_examples_run(where, command):
    assert take(command) in {"check", "score", "doctor"}


def test_every_example_checks_and_then_scores():
    told: dict[str, list[str]] = {}
    for where, command in commands():
        told.setdefault(where, []).append(command[1])
    for where in ("crontab", "airflow_dag.py", "dagster_asset.py", "kubernetes-cronjob.yaml"):
        assert told[where] == ["check", "score"], where


@pytest.mark.parametrize("wrong", ["touchline score --tables t", "touchline check --nights 3", "touchline sleep"])
def test_a_command_that_the_command_line_does_not_take_would_be_found(wrong):
    usage_error = typer.BadParameter.__mro__[1]  # Typer keeps its own copy of click, and exports no more than this
    with pytest.raises((usage_error, KeyError)):
        take(wrong.split())


# --- Exit codes -------------------------------------------------------------------------------------------------


def test_the_crontab_and_the_page_name_every_exit_code_of_a_night():
    of_crontab = {int(n) for n in re.findall(r"^#\s+(\d+)  ", (SCHEDULE / "crontab").read_text(), re.MULTILINE)}
    rows = re.findall(r"^\| ([\d, ]+) \|", PAGE.read_text(), re.MULTILINE)
    of_page = {int(code) for row in rows for code in row.split(",")}
    assert of_crontab == of_page == AT_NIGHT | ON_REQUEST


@pytest.mark.parametrize("path", PYTHON, ids=lambda p: p.name)
def test_what_is_tried_again_is_75(path):
    (value,) = re.findall(r"^TRY_LATER = (\d+)$", path.read_text(), re.MULTILINE)
    assert int(value) == Exit.TRY_LATER


# --- cron -------------------------------------------------------------------------------------------------------


def test_the_cron_line_is_five_fields_and_a_command_that_cron_passes_on_whole():
    fields, command = cron_job()
    limits = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 7)]
    for field, (low, high) in zip(fields, limits, strict=True):
        assert field == "*" or low <= int(field) <= high
    assert "%" not in command, "cron makes a new line of it"


@pytest.mark.parametrize(
    ("ends", "tries", "code"),
    [
        ("0 0", 2, 0),
        ("75 0 0", 3, 0),  # check was busy, then all went well
        ("0 75 0 75 0 0", 6, 0),
        ("3", 1, 3),
        ("0 8", 2, 8),
        ("0 143", 2, 143),
        ("175", 1, 175),
        ("75 75 75 75", 4, 75),
    ],
)
def test_the_cron_line_tries_again_on_75_alone(tmp_path, ends, tries, code):
    """With a `touchline` that ends as it is told to, and a `sleep` that does not."""
    (tmp_path / "ends").write_text(ends.replace(" ", "\n") + "\n")
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    fake = 'echo "$@" >>calls; code=$(sed -n 1p ends); sed 1d ends >rest; mv rest ends; exit "$code"'
    for name, body in (("touchline", fake), ("sleep", "exit 0")):
        (bin_ / name).write_text(f"#!/bin/sh\n{body}\n")
        (bin_ / name).chmod(0o755)
    line = cron_job()[1].replace("/srv/touchline", str(tmp_path))
    ended = subprocess.run(["/bin/sh", "-c", line], env={"PATH": f"{bin_}:/usr/bin:/bin"}, check=False, timeout=60)
    assert ended.returncode == code
    assert len((tmp_path / "calls").read_text().splitlines()) == tries


# --- Airflow and Dagster ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PYTHON, ids=lambda p: p.name)
def test_the_python_examples_compile_and_import_nothing_but_their_scheduler(path):
    tree = ast.parse(path.read_text())
    compile(tree, path.name, "exec")
    tops = {a.name.split(".")[0] for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    tops |= {(n.module or "").split(".")[0] for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    assert tops - sys.stdlib_module_names == {path.name.split("_")[0]}


class RefusedError(Exception):
    """What a scheduler does not try again."""


class LaterError(Exception):
    """What it does."""


class Anything:
    """A scheduler's object, as far as the examples build one."""

    def __init__(self, *args: Any, **named: Any) -> None:
        self.named = named

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def __rshift__(self, other: Any) -> Any:
        return other


class Bash(Anything):
    """Airflow's operator: its one exception for every failure, with the exit code in its words."""

    def execute(self, context: Any) -> str:
        ended = subprocess.run(["/bin/sh", "-c", self.named["bash_command"]], check=False)
        if ended.returncode:
            raise LaterError(f"Bash command failed. The command returned a non-zero exit code {ended.returncode}.")
        return "done"


def pretend(monkeypatch: pytest.MonkeyPatch, name: str, **holds: Any) -> None:
    """Put a module in place that holds what an example imports."""
    module = ModuleType(name)
    vars(module).update(holds)
    monkeypatch.setitem(sys.modules, name, module)


@pytest.mark.parametrize("code", [0, 1, 3, 8, 75, 143, 175])
def test_the_airflow_operator_leaves_75_to_its_retries_and_fails_for_good_on_others(monkeypatch, code):
    pretend(monkeypatch, "airflow")
    pretend(monkeypatch, "airflow.sdk.exceptions", AirflowException=LaterError, AirflowFailException=RefusedError)
    pretend(monkeypatch, "airflow.providers.standard.operators.bash", BashOperator=Bash)
    pretend(monkeypatch, "airflow.providers.standard.operators.empty", EmptyOperator=Anything)
    pretend(monkeypatch, "airflow.sdk", DAG=Anything)
    example = runpy.run_path(str(SCHEDULE / "airflow_dag.py"))
    assert example["dag"].named["max_active_runs"] == 1
    operator = example["TouchlineOperator"](task_id="one", bash_command=f"exit {code}")
    if code == Exit.OK:
        assert operator.execute({}) == "done"
        return
    with pytest.raises(LaterError if code == Exit.TRY_LATER else RefusedError, match=f"exit code {code}"):
        operator.execute({})


@pytest.mark.parametrize("code", [0, 1, 3, 8, 75, 143])
def test_dagster_is_asked_for_another_try_on_75_alone(monkeypatch, tmp_path, code):
    def asset(**_: Any) -> Any:
        return lambda function: function

    pretend(
        monkeypatch, "dagster", asset=asset, define_asset_job=Anything, Definitions=Anything,
        ScheduleDefinition=Anything, MaterializeResult=Anything, RetryRequested=lambda **_: LaterError(),
        Failure=lambda text, **named: RefusedError(text, named["allow_retries"]),
    )  # fmt: skip
    example = runpy.run_path(str(SCHEDULE / "dagster_asset.py"))
    monkeypatch.setitem(example["run"].__globals__, "HOME", tmp_path)
    command = shlex.join(["/bin/sh", "-c", f"""echo '{{"leads": 7}}'; exit {code}"""])
    if code == Exit.OK:
        assert example["run"](command) == {"leads": 7}
        return
    with pytest.raises(LaterError if code == Exit.TRY_LATER else RefusedError) as raised:
        example["run"](command)
    assert raised.value.args[1:] == (() if code == Exit.TRY_LATER else (False,))


# --- Kubernetes -------------------------------------------------------------------------------------------------


def test_kubernetes_lets_no_two_nights_overlap_and_tries_again_on_75_alone():
    job = cron_job_of_kubernetes()
    assert (job["apiVersion"], job["kind"]) == ("batch/v1", "CronJob")
    spec = job["spec"]
    assert spec["concurrencyPolicy"] == "Forbid"
    assert len(spec["schedule"].split()) == 5
    assert pod()["restartPolicy"] == "Never", "podFailurePolicy is refused with any other"
    assert spec["jobTemplate"]["spec"]["backoffLimit"] > 0
    lost, later, failed = spec["jobTemplate"]["spec"]["podFailurePolicy"]["rules"]
    assert lost == {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}
    assert later == {"action": "Count", "onExitCodes": {"operator": "In", "values": [Exit.TRY_LATER]}}
    assert failed == {"action": "FailJob", "onExitCodes": {"operator": "NotIn", "values": [Exit.TRY_LATER]}}


def test_kubernetes_runs_it_as_nobody_in_particular_on_a_read_only_disk():
    user = pod()["securityContext"]
    assert user["runAsNonRoot"]
    assert f"USER {user['runAsUser']}\n" in (ROOT / "Dockerfile").read_text()
    for container in containers():
        rights = container["securityContext"]
        assert rights["readOnlyRootFilesystem"]
        assert not rights["allowPrivilegeEscalation"]
        assert rights["capabilities"] == {"drop": ["ALL"]}


def test_what_kubernetes_mounts_is_there_and_holds_what_the_commands_name():
    volumes = {volume["name"] for volume in pod()["volumes"]}
    for container in containers():
        mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
        assert set(mounts.values()) <= volumes
        places = [word for word in container["args"] if word.startswith("/")]
        places += [v["value"] for v in container.get("env", []) if v.get("value", "").startswith("/")]
        for place in places:
            assert any(Path(mount) in [Path(place), *Path(place).parents] for mount in mounts), place
        assert re.fullmatch(r"[a-z0-9./-]+:(?!latest)[\w.-]+", container["image"])


# --- The image --------------------------------------------------------------------------------------------------


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's, in order, with continued lines joined."""
    lines = [li for li in (ROOT / "Dockerfile").read_text().splitlines() if li.strip() and not li.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in joined.splitlines()]


def copied() -> list[str]:
    """What is copied from this folder."""
    plain = [said.split() for name, said in instructions() if name == "COPY" and not said.startswith("--from")]
    return [source for words in plain for source in words[:-1]]


def test_the_image_is_built_from_what_is_here_and_is_sent():
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*", "nothing is sent unless it is named"
    sent = {rule.removeprefix("!") for rule in rules if rule.startswith("!")}
    for source in copied():
        assert (ROOT / source).exists(), source
    assert sent == set(copied())


def test_every_room_and_whatever_the_build_reads_is_in_the_image():
    links = [path.name for path in (ROOT / "src" / "touchline").iterdir() if path.is_symlink()]
    assert {*links, "src", "pyproject.toml", "README.md", "LICENSE", "requirements/run.txt"} == set(copied())


def test_the_image_is_pinned_locked_and_not_run_by_root():
    text = (ROOT / "Dockerfile").read_text()
    said = instructions()
    for name, of in said:
        if name == "FROM":
            assert re.fullmatch(r"python:3\.\d+-slim( AS \w+)?", of)
    installs = [of for name, of in said if name == "RUN" and "pip install" in of]
    assert installs
    assert all("--require-hashes -r requirements/run.txt" in of or "--no-deps" in of for of in installs)
    assert "latest" not in text
    assert not re.search(r"--(extra-)?index-url|https?://", text)
    assert [of for name, of in said if name == "USER"][-1] not in ("root", "0")
    assert said[-1] == ("ENTRYPOINT", '["touchline"]')


def test_no_example_holds_a_secret():
    for path in [ROOT / "Dockerfile", *SCHEDULE.iterdir()]:
        if path.is_file():
            text = path.read_text()
            assert not re.search(r"://[^\s/:@]+:[^\s/@]+@", text), f"{path.name} holds a password in an address"
            assert not re.search(r"(?i)(password|token|secret)\s*[:=]\s*[\"']?\w{4,}[\"']?\s*$", text), path.name
