"""Writing the figures of a monitoring to the registry's experiment, as a run of its own, beside the trainings."""

from __future__ import annotations

import json
import math
import time
from typing import TYPE_CHECKING

import touchline
from touchline.models.registry.store import quietly
from touchline.pipelines.monitoring.page import page

if TYPE_CHECKING:
    from touchline.models.registry import Registry
    from touchline.pipelines.monitor import Monitoring

KIND = "touchline.kind"
"""Tag by which runs of monitoring are told from trainings."""
REPORT = "monitoring.json"
PAGE = "monitoring.html"


def metrics_of(result: Monitoring) -> dict[str, float]:
    """Figures by name, the ends of an interval as `<name>_low` and `<name>_high`; those that are known."""
    newest = result.nights[0]
    found: dict[str, float] = {
        "leads": newest.leads,
        "expected_wins": newest.expected,
        "machine_share_7d": result.touches.machines.last_7_days,
        "machine_share_30d": result.touches.machines.last_30_days,
        "sla_kept": result.teams.kept,
        "overdue": result.teams.overdue,
    }
    if newest.drift is not None:
        found |= {"psi": newest.drift.psi, "jensen_shannon": newest.drift.jensen_shannon}
    if result.drift is not None:
        found |= {
            "psi_since_reference": result.drift.psi,
            "jensen_shannon_since_reference": result.drift.jensen_shannon,
        }
    if (whole := result.outcomes) is not None:
        for name, interval in (
            ("observed_expected", whole.realised.observed_expected),
            ("capture", whole.realised.capture),
            ("calibration_slope", whole.slope),
            ("calibration_intercept", whole.intercept),
        ):
            found |= {f"{name}{end}": v for end, v in zip(("", "_low", "_high"), interval, strict=True)}
    found |= {f"contribution_{family.family}": family.now for family in result.families}
    found |= {f"tier_{tier}": n for tier, n in result.volumes.tiers.items()}
    found |= {f"touches_{kind.kind}": kind.last for kind in result.touches.kinds}
    found |= {f"passed_{step.step}_{step.then}": step.rate for step in result.teams.passages}
    found |= {f"kpi_{figure.name}": figure.value for figure in result.teams.figures}
    found |= {
        f"findings_{severity}": sum(f.severity == severity for f in result.findings)
        for severity in ("alarm", "warn", "note")
    }
    return {name: float(value) for name, value in found.items() if math.isfinite(value)}


@quietly()
def log_monitoring(registry: Registry, result: Monitoring) -> str:
    """Write a run with the metrics, the whole as JSON and the page.

    Returns
    -------
    str
        The run's id.
    """
    from mlflow.entities import Metric

    store, newest = registry.store, result.nights[0]
    client = store.client
    tags = {
        KIND: "monitoring",
        "touchline.version": touchline.__version__,
        "touchline.model": f"{result.model} {newest.version}",
        "touchline.batch": str(newest.batch),
    }
    name = f"{result.model} monitoring {newest.as_of:%Y-%m-%d}"
    run_id = client.create_run(store.experiment_id, run_name=name, tags=tags).info.run_id
    try:
        at = int(time.time() * 1000)
        client.log_batch(run_id, metrics=[Metric(key, value, at, 0) for key, value in metrics_of(result).items()])
        client.log_text(run_id, json.dumps(result.to_dict(), indent=1, ensure_ascii=False) + "\n", REPORT)
        client.log_text(run_id, page(result), PAGE)
    except BaseException:
        client.set_terminated(run_id, "FAILED")
        raise
    client.set_terminated(run_id, "FINISHED")
    return str(run_id)
