"""`Registry`: versions of one model, which of them scores, and how it came to that."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from touchline.models.errors import ModelError
from touchline.models.registry.history import Event, How, Promotion, champions_before, events_of, tell
from touchline.models.registry.loading import (
    DIGEST,
    DOUBLE,
    REFERENCE,
    LoadedModel,
    Twin,
    load_twin,
    load_version,
    scale_of,
)
from touchline.models.registry.store import Store, quietly
from touchline.models.registry.tracking import TrainingRecord, log_training
from touchline.models.scale import Scale

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion, RegisteredModel

NAME = "lead-scorer"
CHAMPION = "champion"
"""Alias of the version that scores."""
CHALLENGER = "challenger"
"""Alias of the version that was trained last and is not champion."""


@dataclass(frozen=True)
class Version:
    """A version that was registered."""

    name: str
    version: int
    run_id: str
    digest: str


class Registry:
    """Versions of one model in an MLflow store.

    Parameters
    ----------
    store
        Where; `Registry.local(folder)` and `Registry.at(uri)` make one.
    name
        Name of the registered model: one for each playbook that is scored side by side.

    Examples
    --------
    >>> registry = Registry.local("models")  # doctest: +SKIP
    >>> registry.promote(registry.log(record).version, {"rule": "first model"})  # doctest: +SKIP
    >>> registry.load().model.probability(scoring.X)  # doctest: +SKIP
    """

    def __init__(self, store: Store, *, name: str = NAME) -> None:
        self.store = store
        self.name = name

    @classmethod
    def local(cls, folder: str | Path, *, name: str = NAME) -> Registry:
        """A registry in a folder (a SQLite file and the artefacts), made when it is first used."""
        return cls(Store.local(folder), name=name)

    @classmethod
    def at(cls, uri: str, *, name: str = NAME) -> Registry:
        """A registry on an MLflow tracking server, such as `https://mlflow.example.com`."""
        return cls(Store(uri), name=name)

    @quietly()
    def log(self, record: TrainingRecord) -> Version:
        """Write a training into the store and register its model as the challenger.

        Raises
        ------
        ModelError
            If its scale is not the one that the first version froze.
        """
        scale = self._scale(record.scale)
        logged = log_training(self.store, record, scale, self.name)
        made = self.store.client.create_model_version(
            self.name,
            logged.location,  # not `models:/<id>`: MLflow would look that up in its global store
            logged.run_id,
            tags=logged.tags,
            description=logged.summary,
            model_id=logged.model_id,
        )
        told = json.dumps([{"name": self.name, "version": int(made.version)}])
        self.store.client.set_logged_model_tags(logged.model_id, {"mlflow.modelVersions": told})  # a link in its pages
        self.store.client.set_registered_model_alias(self.name, CHALLENGER, str(made.version))
        return Version(self.name, int(made.version), logged.run_id, logged.tags[DIGEST])

    @quietly()
    def load(self, which: str | int = CHAMPION) -> LoadedModel:
        """Load a model that is whole, or none.

        Parameters
        ----------
        which
            A version's number or an alias. An alias is looked up once: what comes back is one version, whatever
            happens to the alias afterwards.

        Raises
        ------
        ModelError
            If there is no such version, or its artefact is damaged, cut off, swapped or of another format.
        """
        return load_version(self.store, self._find(which))

    @quietly()
    def load_twin(self, which: str | int = CHAMPION) -> Twin:
        """Load the twin of a version, by which it is judged on rows that it did not see.

        Raises
        ------
        ModelError
            As `load` does.
        """
        return load_twin(self.store, self._find(which))

    @quietly()
    def aliases(self) -> dict[str, int]:
        """Versions by alias; empty if nothing was registered yet."""
        try:
            return self._aliases()
        except ModelError:
            return {}

    @quietly()
    def promote(self, which: str | int, reason: Mapping[str, Any]) -> LoadedModel:
        """Make a version champion, once it is known to load.

        Parameters
        ----------
        which
            A version's number, or `challenger`.
        reason
            Why, as plain data; it is kept in the history.

        Raises
        ------
        ModelError
            If the version cannot be loaded; the champion stays.
        """
        loaded = load_version(self.store, self._find(which))
        with self.store.held():
            self._crown(loaded, self._aliases().get(CHAMPION), "promoted", reason)
            if self._aliases().get(CHALLENGER) == loaded.version:
                self.store.client.delete_registered_model_alias(self.name, CHALLENGER)
        return loaded

    @quietly()
    def rollback(self, reason: Mapping[str, Any] | None = None) -> LoadedModel:
        """Go back to the champion before this one; called again, to the one before that.

        Raises
        ------
        ModelError
            If there was none, or it cannot be loaded; the champion stays.
        """
        with self.store.held():
            now = self._aliases().get(CHAMPION)
            before = champions_before(events_of(self._registered().tags), now)
            if not before:
                raise ModelError(f"{self.name} has no champion before this one; promote a version by its number")
            loaded = load_version(self.store, self._find(before[-1]))
            self._crown(loaded, now, "rolled back", reason or {})
        return loaded

    @quietly()
    def history(self) -> list[Promotion]:
        """Every version that became champion, the oldest first; `pd.DataFrame(registry.history())` is a table."""
        registered = self._registered()
        events = events_of(registered.tags)
        now = int(registered.aliases[CHAMPION]) if CHAMPION in registered.aliases else None
        versions = {event.version for event in events} | ({now} if now is not None else set())
        return tell(events, now, {version: self._tags_and_metrics(version) for version in versions})

    def _tags_and_metrics(self, version: int) -> tuple[dict[str, str], dict[str, float]]:
        """Of a version; empty if somebody deleted it."""
        from mlflow.exceptions import MlflowException

        try:
            found = self.store.client.get_model_version(self.name, str(version))
            metrics = self.store.client.get_run(found.run_id).data.metrics if found.run_id else {}
        except MlflowException:
            return {}, {}
        return dict(found.tags), dict(metrics)

    def _crown(self, loaded: LoadedModel, now: int | None, how: How, reason: Mapping[str, Any]) -> None:
        """Set the alias, then write the event: cut off in between, the history still knows whom to go back to."""
        key, value = Event(datetime.now(UTC), loaded.version, now, how, dict(reason)).to_tag()
        self.store.client.set_registered_model_alias(self.name, CHAMPION, str(loaded.version))
        self.store.client.set_registered_model_tag(self.name, key, value)

    def _find(self, which: str | int) -> ModelVersion:
        from mlflow.exceptions import MlflowException

        client = self.store.client
        try:
            if str(which).isdigit():
                return client.get_model_version(self.name, str(which))
            return client.get_model_version_by_alias(self.name, str(which))
        except MlflowException as error:
            if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                raise
            raise ModelError(self._missing(which)) from None

    def _missing(self, which: str | int) -> str:
        versions = [int(v.version) for v in self.store.client.search_model_versions(f"name = '{self.name}'")]
        there = f"it has versions {', '.join(map(str, sorted(versions)))}" if versions else "it has no version yet"
        if which == CHAMPION:
            step = "promote one" if versions else "train one, then promote it"
            return f"{self.name} has no champion: {there}; {step} (`touchline promote`)"
        if str(which).isdigit():
            return f"{self.name} has no version {which}: {there}"
        return f"no version of {self.name} is called {which}: {there}"

    def _registered(self) -> RegisteredModel:
        from mlflow.exceptions import MlflowException

        try:
            return self.store.client.get_registered_model(self.name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            raise ModelError(self._missing(CHAMPION)) from None

    def _aliases(self) -> dict[str, int]:
        return {alias: int(version) for alias, version in self._registered().aliases.items()}

    def _scale(self, asked: Scale | None) -> Scale:
        """The registered model's frozen scale; the first record to come makes the model and freezes it."""
        from mlflow.exceptions import MlflowException

        scale = asked or Scale()
        with self.store.held():
            try:
                tags = {REFERENCE: repr(scale.reference), DOUBLE: repr(scale.double)}
                self.store.client.create_registered_model(self.name, tags=tags)
            except MlflowException as error:
                if error.error_code != "RESOURCE_ALREADY_EXISTS":
                    raise
        frozen = scale_of(self._registered().tags)
        if asked is not None and asked != frozen:
            raise ModelError(
                f"the scale of {self.name} was frozen with its first version (50 points at log-odds of "
                f"{frozen.reference:.4f}, {frozen.double:g} points double the odds); leave the scale out"
            )
        return frozen
