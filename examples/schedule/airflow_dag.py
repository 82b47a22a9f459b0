"""Touchline's night as an Airflow DAG: check, score, monitor. How to look after it: docs/how-to/schedule.md.

Workers need the command `touchline` and the folder `HOME`. Where models and scores are is said by `TOUCHLINE_MODELS`
and `TOUCHLINE_STORE` in the workers' environment; PostgreSQL's password by `PGPASSFILE` there, never by this file.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.standard.operators.bash import BashOperator
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowException, AirflowFailException

HOME = "/srv/touchline"
TRY_LATER = 75
"""The one exit code after which the same command may do better: another job is at work, or the disk is full."""


class TouchlineOperator(BashOperator):
    """A command whose retries are for `TRY_LATER` alone; every other failure waits for a person, not for the clock."""

    def execute(self, context: Any) -> Any:
        """Run the command, and fail for good unless it asked to be tried again."""
        try:
            return super().execute(context)
        except AirflowException as failed:
            if f"exit code {TRY_LATER}." in str(failed):
                raise
            raise AirflowFailException(str(failed)) from failed


with DAG(
    dag_id="touchline_night",
    description="Every open lead scored and explained",
    schedule="30 2 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,  # a night that was missed is made good by the next one, which reads all data anyway
    max_active_runs=1,  # a check must not replace the tables that a score still reads
    default_args={
        "retries": 4,
        "retry_delay": timedelta(minutes=10),
        "retry_exponential_backoff": True,
        "max_retry_delay": timedelta(hours=1),
    },
    tags=["touchline"],
) as dag:
    check = TouchlineOperator(
        task_id="check",
        bash_command="touchline check --playbook playbook.toml --data export --out tables",
        cwd=HOME,
    )
    score = TouchlineOperator(
        task_id="score",
        bash_command="touchline score --playbook playbook.toml --tables tables --out batch",
        cwd=HOME,
        execution_timeout=timedelta(hours=6),
    )
    monitor = EmptyOperator(task_id="monitor")  # the place for what you watch: rows of the batch, drift, wins per tier

    check >> score >> monitor
