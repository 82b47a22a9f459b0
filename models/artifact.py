"""The model artefact: a few files, and a digest that is kept elsewhere and checked before any is read.

- `model.json`: columns, categories, the linear part, calibrator, reference scale, facts.
- `trees.txt`: the trees in LightGBM's own text; not there if the model has none.
- `trees_before.txt`: those of the model before, where it steadies this one.

Nothing is pickled, so that loading a model runs no code. But LightGBM's reader ends the whole process on a text that
was cut off, and reads one with a changed digit without a word. So the digest of all files, which whoever saved the
model keeps (the registry does), is compared first.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import touchline
from touchline.models.bands import Band
from touchline.models.calibration import calibrator_from_dict
from touchline.models.encoding import Encoder
from touchline.models.errors import ModelError
from touchline.models.scorer.ladder import Rung
from touchline.models.scorer.linear import Linear
from touchline.models.scorer.model import ScoringModel
from touchline.models.scorer.trees import Trees

FORMAT = 1
"""Of artefacts; those of another format are refused."""
MODEL = "model.json"
TREES = "trees.txt"
BEFORE = "trees_before.txt"


def save_model(model: ScoringModel, folder: str | Path) -> str:
    """Write a model into a new or empty folder.

    Returns
    -------
    str
        The digest that `load_model` asks for: SHA-256, in hex, over all files. Keep it outside the folder.

    Raises
    ------
    FileExistsError
        If the folder holds anything.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise FileExistsError(f"{folder} is not empty; a model gets a folder of its own")
    content: dict[str, Any] = {"format": FORMAT, "touchline": touchline.__version__, **_plain(model)}
    for name, one in ((TREES, model), (BEFORE, model.previous)):
        if one is not None and one.trees is not None:
            _write(folder / name, one.trees.text)
    _write(folder / MODEL, json.dumps(content, ensure_ascii=False, allow_nan=False, indent=1))
    return digest_of(folder)


def _plain(model: ScoringModel) -> dict[str, Any]:
    return {
        "encoder": model.encoder.to_dict(),
        "base": model.base,
        "linear": model.linear.to_dict() if model.linear else None,
        "has_trees": model.trees is not None,
        "calibrator": model.calibrator.to_dict(),
        "band": model.band.to_dict(),
        "rung": model.rung.value,
        "facts": model.facts,
        "previous": _plain(model.previous) if model.previous else None,
    }


def load_model(folder: str | Path, digest: str) -> ScoringModel:
    """Read a model, if its files are those that `digest` was taken of.

    Raises
    ------
    ModelError
        If a file is missing, not what was saved, or written by another version of Touchline.
    """
    folder = Path(folder)
    found = digest_of(folder)
    if found != digest:
        raise ModelError(
            f"the model in {folder} is not the one that was saved (its digest begins with {found[:12]}, not "
            f"{digest[:12]}): it was damaged, cut off or swapped. Restore it, or roll back to an earlier version"
        )
    content = json.loads((folder / MODEL).read_text(encoding="utf-8"))
    if content.get("format") != FORMAT:
        raise ModelError(
            f"the model in {folder} was saved in format {content.get('format')} by Touchline "
            f"{content.get('touchline')}; this one reads format {FORMAT}. Train it again"
        )
    previous = _model(content["previous"], folder / BEFORE, None) if content["previous"] else None
    return _model(content, folder / TREES, previous)


def _model(content: dict[str, Any], trees: Path, previous: ScoringModel | None) -> ScoringModel:
    return ScoringModel(
        encoder=Encoder.from_dict(content["encoder"]),
        base=content["base"],
        linear=Linear.from_dict(content["linear"]) if content["linear"] else None,
        trees=Trees(trees.read_text(encoding="utf-8")) if content["has_trees"] else None,
        calibrator=calibrator_from_dict(content["calibrator"]),
        band=Band.from_dict(content["band"]),
        rung=Rung(content["rung"]),
        facts=content["facts"],
        previous=previous,
    )


def digest_of(folder: str | Path) -> str:
    """Digest of the model in a folder, whatever is in its files.

    Raises
    ------
    ModelError
        If there is no model in the folder.
    """
    folder = Path(folder)
    whole = hashlib.sha256()
    try:
        _add(whole.update, MODEL, (folder / MODEL).read_bytes())
        for name in (TREES, BEFORE):
            if (folder / name).exists():
                _add(whole.update, name, (folder / name).read_bytes())
    except OSError:
        raise ModelError(f"there is no model in {folder}; name the folder that holds {MODEL}") from None
    return whole.hexdigest()


def _add(update: Callable[[bytes], None], name: str, content: bytes) -> None:
    update(f"{name} {len(content)}\n".encode())
    update(content)


def _write(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
