"""What people read of a feature, in English and French: its label, built from the playbook's own words."""

from __future__ import annotations

from collections.abc import Mapping

from touchline.features.catalog.base import Feature, OneOrMore, TouchFeature, several
from touchline.features.catalog.profile import Account, Attribute, Calendar, _OfStage
from touchline.playbook import Playbook

FAMILIES: dict[str, dict[str, str]] = {
    "interest": {"en": "Interest overall", "fr": "Intérêt global"},
    "machine": {"en": "Link scanners", "fr": "Robots de messagerie"},
    "buying_group": {"en": "Buying group", "fr": "Groupe d’achat"},
    "journey": {"en": "Customer journey", "fr": "Parcours client"},
    "fit": {"en": "Fit", "fr": "Adéquation"},
    "timing": {"en": "Timing", "fr": "Moment"},
}
"""Families that the catalogue brings besides the playbook's own."""

_TEMPLATES: dict[str, dict[str, str]] = {
    "Count": {"en": "{what}: how often{window}", "fr": "{what} : nombre de fois{window}"},
    "Sum": {"en": "{what}: how much{window}", "fr": "{what} : quantité{window}"},
    "DaysSince": {"en": "{what}: days since the last time", "fr": "{what} : jours depuis la dernière fois"},
    "DaysSinceFirst": {"en": "{what}: days since the first time", "fr": "{what} : jours depuis la première fois"},
    "Decayed": {
        "en": "{what}: how often of late (half-life {half_life:g} days)",
        "fr": "{what} : fréquence récente (demi-vie de {half_life:g} jours)",
    },
    "Distinct": {"en": "{what}: different {of}{window}", "fr": "{what} : {of} différents{window}"},
    "New": {"en": "{what}: {of} for the first time{window}", "fr": "{what} : nouveaux {of}{window}"},
    "First": {"en": "{what}: {of} of the first time", "fr": "{what} : {of} de la première fois"},
    "Last": {"en": "{what}: {of} of the last time", "fr": "{what} : {of} de la dernière fois"},
    "Trend": {
        "en": "{what}: pace of {days} days against {against} days",
        "fr": "{what} : rythme sur {days} jours comparé à {against} jours",
    },
    "Gap": {"en": "{what}: mean days between two times", "fr": "{what} : jours entre deux fois, en moyenne"},
    "Burst": {"en": "{what}: most in one day{window}", "fr": "{what} : maximum en un jour{window}"},
    "Share": {"en": "{what}: share of all touches{window}", "fr": "{what} : part de tous les contacts{window}"},
    "Rate": {"en": "{what}: for each “{per}”{window}", "fr": "{what} : pour chaque « {per} »{window}"},
    "StageNow": {"en": "Stage", "fr": "Étape"},
    "DaysInStage": {"en": "Days in this stage", "fr": "Jours dans cette étape"},
    "DaysSinceStage": {"en": "Days since stage “{stage}”", "fr": "Jours depuis l’étape « {stage} »"},
    "StageCount": {"en": "Times in stage “{stage}”", "fr": "Passages à l’étape « {stage} »"},
    "Age": {"en": "Days since the lead was created", "fr": "Jours depuis la création du contact"},
}
_CALENDAR = {
    "day_of_week": {"en": "Day of the week", "fr": "Jour de la semaine"},
    "month": {"en": "Month", "fr": "Mois"},
    "week_of_quarter": {"en": "Week of the quarter", "fr": "Semaine du trimestre"},
    "days_to_quarter_end": {"en": "Days left in the quarter", "fr": "Jours restants dans le trimestre"},
}
_CONTACT = {
    "email_domain_kind": {"en": "Company or free mail", "fr": "Messagerie d’entreprise ou gratuite"},
}
_WINDOW = {"en": " in the last {days} days", "fr": " ces {days} derniers jours"}
_ACCOUNT = {"en": "Whole company – {inner}", "fr": "Toute l’entreprise – {inner}"}
_SUBJECT = {
    "any": {"en": "Any touch", "fr": "Tout contact"},
    "interest": {"en": "Any sign of interest", "fr": "Tout signe d’intérêt"},
    "machine": {"en": "Link scanners", "fr": "Robots de messagerie"},
    "inbound": {"en": "From the prospect", "fr": "Du prospect"},
    "outbound": {"en": "From marketing", "fr": "Du marketing"},
    "sales": {"en": "From sales", "fr": "Des ventes"},
}
_PARTS = {
    "kind": {"en": ("kind", "kinds"), "fr": ("type", "types")},
    "channel": {"en": ("channel", "channels"), "fr": ("canal", "canaux")},
    "topic": {"en": ("topic", "topics"), "fr": ("sujet", "sujets")},
    "campaign": {"en": ("campaign", "campaigns"), "fr": ("campagne", "campagnes")},
    "asset": {"en": ("document", "documents"), "fr": ("document", "documents")},
    "day": {"en": ("day", "days"), "fr": ("jour", "jours")},
    "person": {"en": ("person", "people"), "fr": ("interlocuteur", "interlocuteurs")},
}
_ONE_PART = ("First", "Last")


def label(feature: Feature, playbook: Playbook, language: str) -> str:
    """What people read of a feature, as a noun: "Opened an e-mail: how often in the last 30 days"."""
    if isinstance(feature, Account):
        return _ACCOUNT[language].format(inner=_first_small(label(feature.inner, playbook, language)))
    if isinstance(feature, Attribute):
        own = playbook.attributes.get(feature.attribute)
        return own.words[language] if own else _CONTACT[feature.attribute][language]
    if isinstance(feature, Calendar):
        return _CALENDAR[feature.part][language]
    template = _TEMPLATES[type(feature).__name__][language]
    if isinstance(feature, _OfStage):
        stage = next(s for s in playbook.stages if s.name == feature.stage)
        return template.format(stage=stage.words[language])
    if not isinstance(feature, TouchFeature):
        return template
    return template.format(**_values(feature, playbook, language))


def family_words(family: str, playbook: Playbook) -> Mapping[str, str]:
    """What people read of a family; of one that nobody has words for, its name."""
    if family in playbook.families:
        return playbook.families[family].words
    return FAMILIES.get(family, dict.fromkeys(playbook.languages, family.replace("_", " ").capitalize()))


def _values(feature: TouchFeature, playbook: Playbook, language: str) -> dict[str, object]:
    days: int | None = getattr(feature, "days", None)
    number = 0 if type(feature).__name__ in _ONE_PART else 1
    part = _PARTS.get(getattr(feature, "of", ""), {}).get(language, ("", ""))[number]
    return {
        "what": _subject(feature, playbook, language),
        "window": _WINDOW[language].format(days=days) if days is not None else "",
        "days": days,
        "of": part,
        "half_life": getattr(feature, "half_life", 0),
        "against": getattr(feature, "against", 0),
        "per": _listed(getattr(feature, "per", ()), {n: k.words for n, k in playbook.kinds.items()}, language),
    }


def _subject(feature: TouchFeature, playbook: Playbook, language: str) -> str:
    parts = [
        _listed(feature.kind, {n: k.words for n, k in playbook.kinds.items()}, language),
        _listed(feature.of_family, {n: f.words for n, f in playbook.families.items()}, language),
        _listed(feature.channel, {n: c.words for n, c in playbook.channels.items()}, language),
        _listed(feature.topic, {n: t.words for n, t in playbook.topics.items()}, language),
        _listed(feature.direction, _SUBJECT, language),
        _SUBJECT["interest"][language] if feature.engagement else "",
        _SUBJECT["machine"][language] if feature.machine else "",
    ]
    said = ", ".join(part for part in parts if part) or _SUBJECT["any"][language]
    return said[:1].upper() + said[1:]


def _listed(names: OneOrMore, words: Mapping[str, Mapping[str, str]], language: str) -> str:
    return " / ".join(words[n][language] if n in words else n for n in several(names))


def _first_small(text: str) -> str:
    return text[:1].lower() + text[1:]
