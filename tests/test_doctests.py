"""Examples in docstrings are true."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import touchline


def test_examples_in_docstrings_run():
    tried = 0
    for module in pkgutil.walk_packages(touchline.__path__, "touchline."):
        outcome = doctest.testmod(importlib.import_module(module.name))
        assert outcome.failed == 0, module.name
        tried += outcome.attempted
    assert tried >= 5
