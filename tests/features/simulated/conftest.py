"""Simulations for all tests of this folder: a large one with the usual traps, one with every trap, other worlds."""

from collections.abc import Callable

import duckdb
import pytest

from touchline.features.sources.simulated import CONTACT_WORLD, DRIFT_WORLD, Simulation, Traps, simulate

Ask = Callable[..., list[tuple]]


def ask(simulation: Simulation, query: str) -> list[tuple]:
    """Answer a query over the simulation's tables, with touches told apart by who made them."""
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'; set threads = 2")
        for name in simulation.rows:
            file = simulation.path / f"{name}.parquet"
            described = connection.sql(f"describe from read_parquet('{file}')").fetchall()
            zoned = [row[0] for row in described if row[1] == "TIMESTAMP WITH TIME ZONE"]
            naive = ", ".join(f"{column}::timestamp as {column}" for column in zoned)  # fetching zones needs pytz
            select = f"select * replace ({naive})" if zoned else "select *"
            connection.execute(f"create view {name} as {select} from read_parquet('{file}')")
        connection.execute(
            """create view scanned as select t.* from touches t
               where t.kind in ('email_open', 'email_click') and exists (
                 from touches s where s.kind = 'email_sent' and s.lead_id = t.lead_id and s.asset = t.asset
                 and t.occurred_at between s.occurred_at and s.occurred_at + interval 5 second);
               create view human as from touches
               where kind not in ('email_sent', 'sales_call')
               and touch_id not in (select touch_id from scanned)"""
        )
        return connection.sql(query).fetchall()


@pytest.fixture(scope="session")
def usual(tmp_path_factory) -> Simulation:
    return simulate(tmp_path_factory.mktemp("usual"), leads=24_000, seed=11)


@pytest.fixture(scope="session")
def dirty(tmp_path_factory) -> Simulation:
    traps = Traps(duplicates=True, merges=True)
    return simulate(tmp_path_factory.mktemp("dirty"), leads=6_000, seed=3, traps=traps)


@pytest.fixture(scope="session")
def clean(tmp_path_factory) -> Simulation:
    traps = Traps(late_facts=False, scanners=False, leaky_field=False)
    return simulate(tmp_path_factory.mktemp("clean"), leads=6_000, seed=3, traps=traps)


@pytest.fixture(scope="session", name="ask")
def ask_fixture() -> Ask:
    return ask


@pytest.fixture(scope="session")
def plain(tmp_path_factory) -> Simulation:
    """Small enough to be asked a thousand questions; late facts and scanners on."""
    return simulate(tmp_path_factory.mktemp("plain"), leads=1_500, seed=8)


@pytest.fixture(scope="session")
def contact(tmp_path_factory) -> Simulation:
    """Intent lives on the contact."""
    return simulate(tmp_path_factory.mktemp("contact"), leads=10_000, seed=21, world=CONTACT_WORLD)


@pytest.fixture(scope="session")
def drifting(tmp_path_factory) -> Simulation:
    """The world changes in week 112; with the accounts of `dirty` until then."""
    return simulate(tmp_path_factory.mktemp("drifting"), leads=10_000, seed=3, world=DRIFT_WORLD)
