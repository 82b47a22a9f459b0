"""A user's own catalogue: a Python file with one function."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from touchline.features import Catalog, CatalogError
from touchline.playbook import Playbook


def load_catalog(path: Path | None, playbook: Playbook) -> Catalog:
    """The catalogue that `catalog(playbook)` of a Python file gives; without a file the default one.

    Raises
    ------
    CatalogError
        If the file cannot be run, or gives no catalogue; the message says where it failed.
    """
    if path is None:
        return Catalog.default(playbook)
    if not path.is_file():
        raise CatalogError(f"{path}: there is no such file")
    spec = importlib.util.spec_from_file_location("touchline_user_catalog", path)
    if spec is None or spec.loader is None:
        raise CatalogError(f"{path}: is no Python file; give one that ends in .py")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        made = module.catalog(playbook)
    except CatalogError as error:
        raise CatalogError(f"{path}: {error}") from None
    except Exception as error:
        raise CatalogError(f"{path}: {type(error).__name__}: {error}. It needs a function catalog(playbook)") from error
    if not isinstance(made, Catalog):
        raise CatalogError(f"{path}: catalog(playbook) gave {type(made).__name__}; give a Catalog")
    return made
