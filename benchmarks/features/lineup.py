"""Who is compared, on what: one entry for each peer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.features.environments import OWN
from benchmarks.features.feature_set import FEATURES, Feature, What

ALL: frozenset[What] = frozenset(f.what for f in FEATURES)
ANY_SIZE = 1 << 62
SHAPE_SIZES = {"monthly": ANY_SIZE, "weekly": 1_000_000, "per-row": 1_000_000}
"""Touches that a shape is run on, unless fewer are asked for: beyond that it shows nothing new."""


@dataclass(frozen=True, eq=False)
class Peer:
    """One contender.

    Attributes
    ----------
    name
        What `--only` calls it.
    title
        What the table calls it.
    module
        Its file in `peers`.
    package, requirements
        The package it stands for, and the file of requirements that brings it; OWN for what runs beside Touchline.
    sizes
        For each shape it can do, the most touches it is given, so that the whole takes minutes and not hours.
    computes
        The sorts of features that it can do.
    laps
        Parts of its run that get a line of their own, and its title.
    """

    name: str
    title: str
    module: str
    package: str
    requirements: str
    sizes: Mapping[str, int]
    computes: frozenset[What] = ALL
    laps: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.title.strip("*")

    @property
    def features(self) -> tuple[Feature, ...]:
        """What it computes of FEATURES."""
        return tuple(f for f in FEATURES if f.what in self.computes)


ENOUGH, BOUND, WIDER_BOUND = "8GB", "1500MB", "4GB"
"""What Touchline may use: held in memory, bounded, and bounded with more touches than LARGE."""
LARGE = 20_000_000
HELD = Peer(
    "touchline",
    "**Touchline, memory enough**",
    "touchline_held",
    "",
    OWN,
    {"monthly": LARGE, "weekly": LARGE, "per-row": LARGE},
    laps={"in memory": "… until the set stands in memory, nothing written"},
)
BOUNDED = Peer(
    "touchline",
    "**Touchline, bounded memory**",
    "touchline_bounded",
    "",
    OWN,
    {"monthly": ANY_SIZE, "weekly": ANY_SIZE, "per-row": ANY_SIZE},
)
OURS = (HELD, BOUNDED)
WARM = Peer("warm", "", "touchline_warm", "", OWN, {})
"""Not a contender: has everything compiled."""
LOCAL = "local[2]"
"""Where Spark runs; or else on executors, each a process with one processor."""
EXECUTORS = {n: f"local-cluster[{n},1,1024]" for n in (1, 2, 3, 4)}
PLAIN = "requirements.txt"
_TEN, _ONE = 10_000_000, 1_000_000
ON_SPARK = Peer("touchline-spark", "Touchline on Spark", "touchline_spark", "pyspark", OWN, {"monthly": _TEN})
PEERS = (
    Peer("scan", "reading alone (DuckDB)", "duckdb_scan", "duckdb", PLAIN, {"monthly": ANY_SIZE}, frozenset()),
    Peer(
        "duckdb-tiles", "DuckDB, tiles between cuts", "duckdb_tiles", "duckdb", PLAIN, {"monthly": _TEN, "weekly": _ONE}
    ),
    Peer(
        "duckdb-range",
        "DuckDB, range join",
        "duckdb_range",
        "duckdb",
        PLAIN,
        {"monthly": _TEN, "weekly": _ONE, "per-row": _ONE},
    ),
    Peer(
        "polars",
        "Polars, running sums and as-of joins",
        "polars_asof",
        "polars",
        PLAIN,
        {"monthly": _TEN, "weekly": _ONE, "per-row": _ONE},
    ),
    Peer("pandas", "pandas, date by date", "pandas_loop", "pandas", PLAIN, {"monthly": _TEN, "weekly": _ONE}),
    Peer(
        "getml",
        "getML FastProp",
        "getml_fastprop",
        "getml",
        "requirements-getml.txt",
        {"monthly": _ONE},
        frozenset({"count", "sum"}),
        {"transforming": "… transforming alone, loaded and fitted"},
    ),
    Peer(
        "featuretools",
        "Featuretools",
        "featuretools_dfs",
        "featuretools",
        "requirements-featuretools.txt",
        {"monthly": _ONE, "per-row": 20_000},
        ALL - {"decayed", "account_count"},
    ),
    ON_SPARK,
    Peer("spark-sql", "Spark SQL, tiles between cuts", "spark_tiles", "pyspark", OWN, {"monthly": _TEN}),
)
NAMES = ("touchline", *(peer.name for peer in PEERS))


@dataclass(frozen=True)
class Case:
    """Some touches and rows, and who is run on them; Touchline always is."""

    shape: str
    touches: int
    peers: tuple[Peer, ...]


def cases(touches: int, shapes: Sequence[str], names: Sequence[str], *, limits: bool = True) -> list[Case]:
    """What to run: each shape at the size asked for, and once more for each size that slow peers are held to."""
    found: list[Case] = []
    for shape in shapes:
        size = min(touches, SHAPE_SIZES[shape]) if limits else touches
        chosen = [p for p in PEERS if p.name in names and shape in p.sizes]
        sizes = {p.name: min(size, p.sizes[shape]) if limits else size for p in chosen}
        for each in sorted({size, *sizes.values()}, reverse=True):
            ours = tuple(p for p in OURS if not limits or each <= p.sizes[shape])
            found.append(Case(shape, each, (*ours, *(p for p in chosen if sizes[p.name] == each))))
    return found
