"""What importing the engine brings along."""

from __future__ import annotations

import subprocess
import sys

ASKED = "import sys, touchline.features; print(*{'numba', 'pandas', 'pyspark'} & set(sys.modules))"


def test_what_only_computing_needs_is_imported_by_computing():
    """So that `touchline check` does not wait for a compiler."""
    said = subprocess.run([sys.executable, "-c", ASKED], check=True, capture_output=True, text=True)
    assert said.stdout.split() == []
