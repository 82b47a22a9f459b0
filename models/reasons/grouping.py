"""Grouping: from features to subjects to families, by adding up, which keeps every sum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from touchline.features.catalog import Catalog
from touchline.models.reasons.subjects import Evidence, Subject, evidence_of, subject_of

Floats = NDArray[np.float64]
Places = NDArray[np.intp]


@dataclass(frozen=True)
class Grouping:
    """Which subject each feature of a model is about, and which family each subject belongs to.

    Attributes
    ----------
    names
        The features.
    subject_of
        For each feature the place of its subject.
    subjects
        Those of one family side by side, families in order of the catalogue.
    evidence
        The features that tell each subject's facts.
    families
        Their names.
    """

    names: tuple[str, ...]
    subject_of: Places
    subjects: tuple[Subject, ...]
    evidence: tuple[Evidence, ...]
    families: tuple[str, ...]

    @classmethod
    def of(cls, catalog: Catalog, names: Sequence[str]) -> Grouping:
        """Group a model's features.

        Raises
        ------
        CatalogError
            If the catalogue does not have one of them.
        """
        about = [subject_of(catalog[name]) for name in names]
        families = tuple(dict.fromkeys(subject.family for subject in about))
        subjects = tuple(sorted(dict.fromkeys(about), key=lambda subject: families.index(subject.family)))
        place = {subject: i for i, subject in enumerate(subjects)}
        return cls(
            tuple(names),
            np.array([place[subject] for subject in about], np.intp),
            subjects,
            tuple(evidence_of(subject, catalog) for subject in subjects),
            families,
        )

    @cached_property
    def family_of(self) -> Places:
        """For each subject the place of its family; rising."""
        return np.array([self.families.index(subject.family) for subject in self.subjects], np.intp)

    @cached_property
    def family_of_feature(self) -> Places:
        """For each feature the place of its family."""
        return self.family_of[self.subject_of]

    def by_subject(self, values: Floats) -> Floats:
        """Sums over the features of each subject; from (rows, features) to (rows, subjects)."""
        return _sums(values, self.subject_of, len(self.subjects))

    def by_family(self, of_subjects: Floats) -> Floats:
        """Sums over the subjects of each family; from (rows, subjects) to (rows, families)."""
        return _sums(of_subjects, self.family_of, len(self.families))


def _sums(values: Floats, group: Places, groups: int) -> Floats:
    found = np.zeros((groups, len(values)))
    for i, of in enumerate(group):  # a column at a time, in order: a row's sums do not depend on the rows beside it
        found[of] += values[:, i]
    return found.T
