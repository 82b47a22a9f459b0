"""The audit: every check, in order, on one company's tables and sets."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from touchline.features.audit.boosted import check_golden
from touchline.features.audit.case import Case, Check
from touchline.features.audit.codes import Code
from touchline.features.audit.columns import check_columns
from touchline.features.audit.drift import check_drift
from touchline.features.audit.extracts import check_earlier, check_history
from touchline.features.audit.facts import check_account_filled, check_imports, check_late, check_machines, check_sales
from touchline.features.audit.findings import Audit, Figures, Finding, in_order
from touchline.features.audit.outcome import check_outcome
from touchline.features.audit.proofs import check_poison, check_rebuilt
from touchline.features.audit.rows import check_accounts, check_lineage, check_order, check_statuses
from touchline.features.catalog import Catalog
from touchline.features.tables import Tables
from touchline.features.tables.workspace import Progress, Workspace, connect
from touchline.features.training import ScoringSet, TrainingSet, build_training_set
from touchline.playbook import Playbook

CHECKS: tuple[tuple[Check, tuple[Code, ...]], ...] = (
    (check_poison, (Code.FUTURE_POISON, Code.TRUNCATION, Code.DEAD_PIPELINE)),
    (check_rebuilt, (Code.REBUILT,)),
    (check_lineage, (Code.LINEAGE,)),
    (check_statuses, (Code.EARLY_ROWS, Code.MERGED_ROWS, Code.CLOSED_ROWS, Code.IMMATURE_ROWS, Code.LABELS)),
    (check_accounts, (Code.SAME_ACCOUNT,)),
    (check_order, (Code.ID_OR_ORDER,)),
    (check_columns, (Code.SINGLE_AUC, Code.CORRELATION, Code.CRAMERS_V, Code.MISSING_TELLS, Code.TELLING_VALUE)),
    (check_golden, (Code.GOLDEN_FEATURE,)),
    (check_outcome, (Code.IMPLIES_OUTCOME, Code.OUTCOME_TWIN)),
    (check_earlier, (Code.CHANGED_SINCE, Code.BACKFILLED)),
    (check_history, (Code.HAS_HISTORY,)),
    (check_account_filled, (Code.ACCOUNT_FILLED,)),
    (check_late, (Code.LATE_FACTS,)),
    (check_imports, (Code.MASS_IMPORT,)),
    (check_machines, (Code.MACHINE_TOUCHES,)),
    (check_sales, (Code.SALES_ACTIVITY,)),
    (check_drift, (Code.ADVERSARIAL, Code.DIVERGENCE, Code.FILL_SHIFT)),
)
"""Every check, and the codes it speaks about."""


def audit(
    tables: Tables | str | Path,
    playbook: Playbook,
    *,
    catalog: Catalog | None = None,
    training: TrainingSet | None = None,
    scoring: ScoringSet | None = None,
    earlier: Tables | str | Path | None = None,
    only: Iterable[Code | str] | None = None,
    sample_leads: int = 2000,
    seed: int = 0,
    progress: Progress = lambda step: None,
) -> Audit:
    """Look for leaks: proofs by experiment first, then the rows, each feature, the facts, and what is to be scored.

    Parameters
    ----------
    tables, playbook
        Canonical tables (or their folder) and the playbook they were checked with.
    catalog
        The features; by default `Catalog.default(playbook)`.
    training
        The set that a model is to learn from; built if left out.
    scoring
        Rows to score, held against the training set; its own latest rows stand in for them if left out.
    earlier
        Tables of an earlier extract of the same company: what is fixed must be the same there.
    only
        Codes to look for; all by default.
    sample_leads
        About how many leads the proofs copy, in whole accounts.
    seed
        Which accounts and rows are drawn; the same seed gives the same audit.

    Returns
    -------
    Audit
        Findings, the worst first. Every check that ran is among them, those that found nothing, too.

    Raises
    ------
    DataError
        If no training set is given and none can be built.
    """
    tables = tables if isinstance(tables, Tables) else Tables.open(tables)
    earlier = Tables.open(earlier) if isinstance(earlier, str | Path) else earlier
    catalog = catalog or Catalog.default(playbook)
    if training is None:
        training = build_training_set(tables, playbook, catalog=catalog, progress=progress)
    wanted = set(Code) if only is None else {Code(code) for code in only}
    findings: list[Finding] = []
    with tempfile.TemporaryDirectory(prefix="touchline-audit-") as folder, closing(connect(Path(folder), "1GB")) as con:
        w = Workspace(con, playbook, Path(folder), datetime.now(UTC), progress)
        case = Case(tables, playbook, catalog, training, scoring, earlier, sample_leads, seed, w)
        for check, codes in CHECKS:
            if wanted & set(codes):
                findings += [f for f in check(case) if f.code in wanted]
        about: Figures = {
            "rows": len(training),
            "won_rows": int(case.label.sum()),
            "won_accounts": case.won_accounts,
            "features": len(training.names),
            "set": training.digest[:12],
        }
    return Audit(in_order(findings), about)
