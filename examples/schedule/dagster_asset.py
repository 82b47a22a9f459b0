"""Touchline's night as two Dagster assets and a schedule. How to look after it: docs/how-to/schedule.md.

The code location needs the command `touchline` and the folder `HOME`. Where models and scores are is said by
`TOUCHLINE_MODELS` and `TOUCHLINE_STORE` in its environment; PostgreSQL's password by `PGPASSFILE` there, never here.
"""

import json
import shlex
import subprocess
from typing import Any

import dagster as dg

HOME = "/srv/touchline"
TRY_LATER = 75
"""The one exit code after which the same command may do better: another job is at work, or the disk is full."""
POOL = "touchline"
"""One at a time, so that no check replaces the tables that a score still reads: `dagster instance concurrency set`."""


def run(command: str) -> dict[str, Any]:
    """Run a command to its end and give its result; words go to the log of the run.

    Raises
    ------
    dagster.RetryRequested
        If it ended with `TRY_LATER`.
    dagster.Failure
        If it failed otherwise: a person has to look, and trying again would hide that.
    """
    words = shlex.split(command)
    with subprocess.Popen(words, cwd=HOME, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603  # ours, below
        try:
            result, _ = process.communicate()
        except BaseException:
            process.terminate()  # who stops the run stops the job, and SIGTERM lets it clear up
            raise
    if process.returncode == TRY_LATER:
        raise dg.RetryRequested(max_retries=4, seconds_to_wait=1200)
    if process.returncode:
        told = {"exit code": process.returncode, "result": result}
        raise dg.Failure(f"ended with exit code {process.returncode}: {command}", metadata=told, allow_retries=False)
    return json.loads(result)


@dg.asset(group_name="touchline", pool=POOL)
def checked_tables() -> None:
    """The export, checked row by row against the playbook."""
    run("touchline check --playbook playbook.toml --data export --out tables --json")


@dg.asset(group_name="touchline", pool=POOL, deps=[checked_tables])
def lead_scores() -> dg.MaterializeResult:
    """Every open lead, scored and explained, published as one batch."""
    batch = run("touchline score --playbook playbook.toml --tables tables --out batch --json")
    told = ("batch", "as_of", "leads", "version", "is_new", "handed_over", "seconds")
    return dg.MaterializeResult(metadata={name: batch[name] for name in told})


night = dg.define_asset_job("touchline_night", selection=[checked_tables, lead_scores])

defs = dg.Definitions(
    assets=[checked_tables, lead_scores],
    jobs=[night],
    schedules=[dg.ScheduleDefinition(job=night, cron_schedule="30 2 * * *", execution_timezone="UTC")],
)
