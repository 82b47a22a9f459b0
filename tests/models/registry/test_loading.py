"""What is loaded is what was saved, or nothing is."""

from __future__ import annotations

import json
import multiprocessing
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from touchline.models.artifact import MODEL, TREES, digest_of
from touchline.models.errors import ModelError
from touchline.models.registry import Registry
from touchline.models.scale import Scale


def test_a_version_scores_as_the_model_that_was_logged(registry, trained):
    loaded = registry.load(1)
    expected = trained.model.probability(trained.frame)
    np.testing.assert_array_equal(loaded.model.probability(trained.frame), expected)
    assert (loaded.name, loaded.version) == ("lead-scorer", 1)
    assert loaded.playbook == trained.record.playbook.digest
    assert loaded.training == trained.record.training["digest"]
    assert loaded.scale == Scale()


def test_the_newest_version_is_the_challenger(registry):
    assert registry.load("challenger").version == 2
    assert registry.load("1").version == 1


def test_without_a_champion_the_error_says_what_to_do(registry):
    with pytest.raises(ModelError, match=r"has no champion: it has versions 1, 2; promote one"):
        registry.load()


def test_an_empty_registry_says_what_to_do(registry):
    other = Registry(registry.store, name="another")
    with pytest.raises(ModelError, match="has no champion: it has no version yet; train one, then promote it"):
        other.load()
    with pytest.raises(ModelError, match="has no champion"):
        other.rollback()


@pytest.mark.parametrize("which", [7, "7", "nobody"])
def test_what_is_not_there_is_named_with_what_is(registry, which):
    with pytest.raises(ModelError, match=f"{which}: it has versions 1, 2"):
        registry.load(which)


@pytest.mark.parametrize("file", [MODEL, TREES])
def test_a_changed_digit_is_refused(registry, artefact, file):
    path = artefact(1) / file
    text = path.read_bytes()
    at = next(i for i in range(len(text) // 2, len(text)) if text[i : i + 1] in b"12345678")
    path.write_bytes(text[:at] + b"9" + text[at + 1 :])
    with pytest.raises(ModelError, match=r"version 1 of lead-scorer is refused: .*damaged, cut off or swapped"):
        registry.load(1)


def try_to_load(folder: Path, said: Any) -> None:
    try:
        _ = Registry.local(folder).load(1).model.trees.booster
    except ModelError as error:
        said.put(str(error))
    else:
        said.put("loaded")


@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
def test_a_model_that_was_cut_off_does_not_take_the_process_along(registry, artefact):
    """LightGBM ends the process that reads such a text; so a process of its own tries."""
    path = artefact(1) / TREES
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    context = multiprocessing.get_context("fork")
    said = context.SimpleQueue()
    process = context.Process(target=try_to_load, args=(registry.store.folder, said))
    process.start()
    process.join(60)
    assert process.exitcode == 0
    assert "version 1 of lead-scorer is refused" in (told := said.get())
    assert tempfile.gettempdir() not in told


def test_an_artefact_of_another_version_is_refused(registry, artefact):
    one, two = artefact(1), artefact(2)
    shutil.rmtree(one)
    shutil.copytree(two, one)
    with pytest.raises(ModelError, match="swapped"):
        registry.load(1)
    assert registry.load(2).version == 2


def test_an_artefact_of_another_format_is_refused_though_its_digest_is_right(registry, artefact):
    folder = artefact(1)
    content = json.loads((folder / MODEL).read_text(encoding="utf-8")) | {"format": 99}
    (folder / MODEL).write_text(json.dumps(content), encoding="utf-8")
    registry.store.client.set_model_version_tag("lead-scorer", "1", "touchline.digest", digest_of(folder))
    with pytest.raises(ModelError, match="saved in format 99"):
        registry.load(1)


@pytest.mark.parametrize("what", ["folder", MODEL, TREES])
def test_an_artefact_that_is_gone_is_refused(registry, artefact, what):
    folder = artefact(1)
    shutil.rmtree(folder) if what == "folder" else (folder / what).unlink()
    with pytest.raises(ModelError, match="version 1 of lead-scorer"):
        registry.load(1)


def test_a_version_that_touchline_did_not_register_is_refused(registry):
    client = registry.store.client
    source = client.get_model_version("lead-scorer", "1").source
    made = client.create_model_version("lead-scorer", source)
    with pytest.raises(ModelError, match="carries no digest"):
        registry.load(made.version)


def test_the_scale_of_the_first_version_stays(registry, trained):
    from dataclasses import replace

    steep = replace(trained.record, scale=Scale(double=5.0))
    with pytest.raises(ModelError, match="frozen with its first version"):
        registry.log(steep)
    another = Registry(registry.store, name="another")
    assert another.load(another.log(steep).version).scale == Scale(double=5.0)
    assert another.load(another.log(trained.record).version).scale == Scale(double=5.0)


def test_the_twin_of_a_version_is_loaded_or_refused_like_the_version(registry, trained):
    twin = registry.load_twin(1)
    np.testing.assert_array_equal(twin.model.probability(trained.frame), trained.record.twin.probability(trained.frame))
    assert twin.judged_from == trained.record.judged_from
    (path,) = (registry.store.folder / "artifacts" / registry.load(1).run_id).rglob(TREES)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ModelError, match="the twin of version 1 of lead-scorer is refused"):
        registry.load_twin(1)
    path.unlink()
    path.with_name(MODEL).unlink()
    with pytest.raises(ModelError, match="the twin of version 1 of lead-scorer"):
        registry.load_twin(1)
