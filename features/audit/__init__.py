"""Audit: looking for leaks, by experiment where one can be made and by figures where not.

In: canonical tables, the playbook, a catalogue, and the training set a model is to learn from. Out: an `Audit` of
findings, each with a code, a severity, figures and advice; every check that ran is listed, so that silence is not
mistaken for health. `future_poison` is the experiment alone, on one's own data.

    audit = touchline.features.audit.audit("tables", playbook, training=training)
    if audit.blocked: ...
"""

from touchline.features.audit.codes import Code
from touchline.features.audit.findings import Audit, Finding, Severity
from touchline.features.audit.poison import Poison
from touchline.features.audit.proof import PoisonResult, future_poison
from touchline.features.audit.run import audit

__all__ = ["Audit", "Code", "Finding", "Poison", "PoisonResult", "Severity", "audit", "future_poison"]
