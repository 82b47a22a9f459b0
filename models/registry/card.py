"""The model card: what a model is, for whom, how good, on what, and where it must not be trusted. One page.

After Mitchell et al. 2019, "Model Cards for Model Reporting".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from touchline.models.evaluation.catalog import METRICS
from touchline.models.scorer.ladder import Rung
from touchline.models.scorer.model import ScoringModel
from touchline.playbook import Playbook

_LIMITS = {
    Rung.NONE: "There are too few won deals to learn from: every lead gets the base rate. It says nothing of a lead.",
    Rung.RANKS: "There are few won deals: it says who comes first, not how likely. Do not show or add up its chances.",
    Rung.PROBABILITIES: "There are not many won deals: show a chance only together with its interval.",
    Rung.FULL: "Chances may be shown as they are.",
}
_ALWAYS = (
    "It tells how likely a deal is, not what would make it likelier: a reason is no cause.",
    (
        "It knows leads like those of its training window. When campaigns, touch kinds or the market change, its "
        "chances are off until it is trained again."
    ),
    "Use it to put work in order. Decide nothing about a person's rights, price or access by it.",
)
_SHOWN = ("skill", "roc_auc", "pr_auc", "lift", "capture", "log_loss", "brier")
_CALIBRATION = ("observed_expected", "calibration_slope", "calibration_intercept")
_MOST_SLICES = 30


@dataclass(frozen=True)
class Table:
    """A table of text."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Section:
    """A heading, paragraphs, and perhaps a table below."""

    title: str
    paragraphs: Sequence[str]
    table: Table | None = None


@dataclass(frozen=True)
class ModelCard:
    """A card, as Markdown and as a page of HTML that needs no script and loads nothing."""

    title: str
    sections: tuple[Section, ...]

    @property
    def summary(self) -> str:
        """Its first paragraph."""
        return self.sections[0].paragraphs[0]

    def markdown(self) -> str:
        """The card in Markdown."""
        parts = [f"# {_md(self.title)}"]
        for section in self.sections:
            parts += [f"## {section.title}", *map(_md, section.paragraphs)]
            if section.table:
                lines = [section.table.head, ["---"] * len(section.table.head), *section.table.rows]
                parts.append("\n".join(f"| {' | '.join(map(_md, cells))} |" for cells in lines))
        return "\n\n".join(parts) + "\n"

    def html(self) -> str:
        """The card as a page."""
        body = [f"<h1>{escape(self.title)}</h1>"]
        for section in self.sections:
            body += [f"<h2>{escape(section.title)}</h2>", *(f"<p>{escape(p)}</p>" for p in section.paragraphs)]
            if section.table:
                head = "".join(f'<th scope="col">{escape(name)}</th>' for name in section.table.head)
                rows = "".join(_html_row(cells) for cells in section.table.rows)
                body.append(f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>")
        return _PAGE.format(title=escape(self.title), body="\n".join(body))

    def _repr_html_(self) -> str:
        return self.html()


def model_card(
    model: ScoringModel,
    training: Mapping[str, Any],
    comparison: Mapping[str, Any],
    playbook: Playbook,
    *,
    scored_as: str,
    notes: Mapping[str, str] | None = None,
) -> ModelCard:
    """Write a model's card.

    Parameters
    ----------
    model
        The model; its `facts` say how it was chosen.
    training
        The training set's manifest.
    comparison
        `Comparison.to_dict()`: this model beside baselines, with segments as fairness slices.
    playbook
        What a win is and who reads the scores.
    scored_as
        The model's name in the comparison.
    notes
        Why a model's figures must not be believed, by its name in the comparison.

    Raises
    ------
    ValueError
        If the comparison does not hold the model.
    """
    if scored_as not in comparison["models"]:
        raise ValueError(f"the comparison does not hold {scored_as!r}; it holds {', '.join(comparison['models'])}")
    return ModelCard(
        f"Lead scoring model: {playbook.name}",
        (
            _what(model, playbook),
            _data(training, comparison),
            _choice(model),
            _quality(comparison, scored_as, notes or {}),
            _calibration(model, comparison, scored_as),
            _limits(model),
            _slices(comparison, scored_as),
            _origin(model, training, playbook),
        ),
    )


def _what(model: ScoringModel, playbook: Playbook) -> Section:
    horizon, gap = playbook.outcome.horizon.days, playbook.outcome.gap.days
    begins = f", beginning {gap} days after the score" if gap else ""
    least = playbook.outcome.minimum_amount
    size = f" of at least {least:,.0f}" if least else ""
    said = (
        f"For an open lead it gives the chance that a deal{size} is won within {horizon} days{begins}, "
        f"and from it a score from 1 to 99 and a tier. Parts: {_parts(model)}."
    )
    use = (
        "For sales, to call the likelier leads first, and for marketing, to hand leads over. "
        f"A lead is scored while its last engagement is at most {playbook.snapshots.active_within.days} days old."
    )
    return Section("What it is, and for whom", [said, use])


def _parts(model: ScoringModel) -> str:
    linear = "ridge logistic regression" if model.linear else None
    trees = "boosted trees (LightGBM)" if model.trees else None
    return " and ".join(part for part in (linear, trees) if part) or "none, the base rate for every lead"


def _data(training: Mapping[str, Any], comparison: Mapping[str, Any]) -> Section:
    windows, counts = training["windows"], training["counts"]
    won, lost = sum(c["won"] for c in counts), sum(c["not_won"] for c in counts)
    dates = sorted(str(c["as_of"])[:10] for c in counts if c["won"] + c["not_won"]) or ["?"]
    basis, rate = comparison["basis"], comparison["base_rate"]
    learned = (
        f"Learned from {training['rows']:,} rows of {training['leads']:,} leads with {training['won_deals']:,} won "
        f"deals, as of {_period(dates[0], dates[-1])}; {_share(won / max(1, won + lost))} of the rows were won. "
        f"Outcomes were known until {str(windows['data_end'])[:10]}."
    )
    judged = (
        f"Judged on {basis['rows']:,} rows of {basis['accounts']:,} accounts as of "
        f"{_period(basis['first'], basis['last'])}, {basis['won_accounts']:,} accounts with a win. Base rate there: "
        f"{_share(rate['value'])} ({_share(rate['low'])} to {_share(rate['high'])})."
    )
    return Section("Data", [learned, judged])


def _choice(model: ScoringModel) -> Section:
    choice = model.facts["choice"]
    rows = [[c["name"], _number(c["loss"], 4), _share(c["gain"])] for c in choice["candidates"]]
    table = Table(["candidate", "log loss", "better than the base rate by"], rows) if rows else None
    said = [f"Chosen: {choice['chosen']}. {_sentence(choice['reason'])}"]
    if model.previous is not None:
        said.append("Half of its log-odds are those of the model before, so that a retrain does not throw leads about.")
    return Section("Why this model", said, table)


def _quality(comparison: Mapping[str, Any], scored_as: str, notes: Mapping[str, str]) -> Section:
    models = comparison["models"]
    shown = [name for name in _SHOWN if any(models[m][name]["value"] is not None for m in models)]
    names = [scored_as, *(name for name in models if name != scored_as)]
    rows = [[name, *(_interval(models[name][metric], metric) for metric in shown)] for name in names]
    said = (
        f"The model (first line) beside baselines on the same rows, with 95% intervals from "
        f"{comparison['basis']['draws']:,} redraws of whole accounts. Lift and capture are at the capacity of sales."
    )
    warned = [f"{name} {note}." for name, note in notes.items()]
    return Section("How good it is", [said, *warned], Table(["model", *(METRICS[name].words for name in shown)], rows))


def _calibration(model: ScoringModel, comparison: Mapping[str, Any], scored_as: str) -> Section:
    own = comparison["models"][scored_as]
    rows = [[METRICS[name].words, _interval(own[name], name)] for name in _CALIBRATION]
    said = f"Calibrated by: {model.facts['calibration']}. Right would be 1, 1 and 0."
    return Section("Do its chances come true?", [said], Table(["measure", "value"], rows))


def _limits(model: ScoringModel) -> Section:
    evidence = model.facts["evidence"]
    learned = f"It learned from {evidence['deals']:,} distinct won deals in {evidence['groups']:,} accounts."
    return Section("Limits", [f"{learned} {_LIMITS[model.rung]}", *_ALWAYS])


def _slices(comparison: Mapping[str, Any], scored_as: str) -> Section:
    rows = [row for row in comparison["segments"] if row["model"] == scored_as]
    if not rows:
        return Section("Is it fair to every group?", ["No groups were compared."])
    largest = sorted(rows, key=lambda row: -row["rows"])[:_MOST_SLICES]
    said = "Observed wins over expected ones in each group; 1 is right, an interval without 1 asks for a look."
    if len(rows) > len(largest):
        said += f" The {len(largest)} largest of {len(rows)} groups are shown."
    cells = [
        [f"{row['segment']}: {row['label']}", f"{row['rows']:,}", f"{row['won_accounts']:,}", _share(row["observed"]),
         _share(row["expected"]),
         f"{_number(row['observed_expected'], 2)} ({_number(row['oe_low'], 2)} to {_number(row['oe_high'], 2)})"]
        for row in largest
    ]  # fmt: skip
    head = ["group", "rows", "accounts won", "observed", "expected", "observed / expected"]
    return Section("Is it fair to every group?", [said], Table(head, cells))


def _origin(model: ScoringModel, training: Mapping[str, Any], playbook: Playbook) -> Section:
    rows = [
        ["features", f"{len(model.encoder.names)}"],
        ["training set", str(training["digest"])],
        ["playbook", playbook.digest],
        ["Touchline", str(training["touchline"])],
    ]
    return Section(
        "Where it comes from", ["Digests (SHA-256) of what it was made from."], Table(["what", "which"], rows)
    )


def _period(first: str, last: str) -> str:
    return first if first == last else f"{first} to {last}"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def _interval(metric: Mapping[str, float | None], name: str) -> str:
    digits = METRICS[name].digits
    if metric["low"] is None or metric["high"] is None:
        return _number(metric["value"], digits)
    return " ".join(
        [_number(metric["value"], digits), f"({_number(metric['low'], digits)} to {_number(metric['high'], digits)})"]
    )


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None or value != value else f"{value:,.{digits}f}"  # noqa: PLR0124, RUF001  # NaN


def _share(value: float | None) -> str:
    return "–" if value is None or value != value else f"{value:.2%}"  # noqa: PLR0124, RUF001


def _md(text: str) -> str:
    """Text in which nothing is markup."""
    for mark in "\\`*_[]<>|#":
        text = text.replace(mark, f"\\{mark}")
    return text.replace("\n", " ") if set(text) - set("-") else text


def _html_row(cells: Sequence[str]) -> str:
    first, *others = map(escape, cells)
    return f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in others)}</tr>'


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; color: #222; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }}
h1 {{ font-size: 1.6rem }} h2 {{ font-size: 1.15rem; margin: 2rem 0 .4rem }}
p {{ max-width: 42rem; margin: .4rem 0 }}
table {{ border-collapse: collapse; font-size: .85rem; margin: .8rem 0; display: block; overflow-x: auto }}
th, td {{ text-align: left; padding: .25rem .8rem .25rem 0; border-bottom: 1px solid #ddd; font-weight: normal }}
thead th {{ font-weight: 600 }}
</style></head><body>
{body}
</body></html>
"""
