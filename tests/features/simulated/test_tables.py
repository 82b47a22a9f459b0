"""The tables keep their promises: times, keys, journeys, determinism, and nothing half-written."""

import json
from dataclasses import asdict, replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from touchline.features.sources.simulated import DEFAULT_WORLD, Traps, block, simulate, simulation
from touchline.features.sources.simulated.schemas import SCHEMAS


def count(ask, where, query):
    ((number,),) = ask(where, f"select count(*) {query}")
    return number


def test_schemas_read_back_as_promised(dirty):
    for name, schema in SCHEMAS.items():
        assert pq.read_schema(dirty.path / f"{name}.parquet").equals(schema), name


def test_nothing_is_known_before_it_happens(ask, dirty):
    assert count(ask, dirty, "from touches where known_at < occurred_at") == 0
    assert count(ask, dirty, "from stages where known_at < entered_at") == 0
    assert count(ask, dirty, "from deals where closed_at <= opened_at") == 0


def test_nothing_happens_before_the_lead_exists_or_after_the_end(ask, dirty):
    assert count(ask, dirty, "from touches join leads using (lead_id) where occurred_at < created_at") == 0
    assert count(ask, dirty, "from stages join leads using (lead_id) where entered_at < created_at") == 0
    end = f"timestamp '{dirty.end:%Y-%m-%d}'"
    for table, column in (("touches", "known_at"), ("stages", "entered_at"), ("deals", "closed_at")):
        assert count(ask, dirty, f"from {table} where {column} >= {end}") == 0
    assert count(ask, dirty, f"from changes where known_at >= {end}") == 0


def test_keys_are_unique_and_references_hold(ask, dirty):
    for table, key in (("leads", "lead_id"), ("accounts", "account_id"), ("deals", "deal_id"), ("assets", "asset")):
        assert ask(dirty, f"select count(*) = count(distinct {key}) from {table}") == [(True,)]
    assert count(ask, dirty, "from leads anti join accounts using (account_id)") == 0
    assert count(ask, dirty, "from deals anti join accounts using (account_id)") == 0
    for table in ("touches", "stages", "changes", "truth"):
        assert count(ask, dirty, f"from {table} anti join leads using (lead_id)") == 0
    assert count(ask, dirty, "from touches t anti join assets a using (asset) where t.asset is not null") == 0
    assert (
        count(
            ask,
            dirty,
            "from accounts a anti join leads l on a.created_at <= l.created_at"
            " and a.account_id = l.account_id where account_id not in (select account_id from deals)",
        )
        == 0
    )


def test_assets_come_in_both_languages_and_match_the_reader(ask, dirty):
    assert ask(dirty, "select language, count(*) from assets group by 1 order by 1") == [("en", 24), ("fr", 24)]
    wrong = "from touches join leads using (lead_id) join assets a using (asset) where a.language != leads.language"
    assert count(ask, dirty, wrong) == 0


def test_mail_reactions_share_campaign_and_asset_with_a_send_before(ask, clean):
    orphan = """from touches t where kind in ('email_open', 'email_click', 'email_unsubscribe') and not exists (
        from touches s where s.kind = 'email_sent' and s.lead_id = t.lead_id and s.asset = t.asset
        and s.campaign = t.campaign and s.occurred_at <= t.occurred_at - interval 2 minute
        and date_trunc('week', s.occurred_at) = date_trunc('week', t.occurred_at))"""
    assert count(ask, clean, orphan) == 0


def test_no_two_touches_of_a_clean_log_are_the_same(ask, clean):
    columns = "lead_id, occurred_at, kind, channel, campaign, asset, topic, direction"
    assert ask(
        clean, f"select count(*) - (select count(*) from (select distinct {columns} from touches)) from touches"
    ) == [(0,)]


def test_deals_of_an_account_follow_one_another(ask, dirty):
    """Amounts only for won deals, at most one open or won deal, and none after it."""
    assert count(ask, dirty, "from deals where (amount is not null) != (coalesce(outcome, '') = 'won')") == 0
    assert count(ask, dirty, "from deals where (outcome is null) != (closed_at is null)") == 0
    overlap = """from (select distinct account_id, split_part(deal_id, '-', 1) as deal, opened_at, closed_at, outcome
                       from deals) a join deals b using (account_id)
                 where b.opened_at > a.opened_at
                 and (a.closed_at is null or a.outcome = 'won' or b.opened_at < a.closed_at)"""
    assert count(ask, dirty, overlap) == 0


def test_journey_agrees_with_deals(ask, dirty):
    won = "select lead_id, {} as instant from {} where lead_id is not null and {} = 'won'"
    stages, deals = won.format("entered_at", "stages", "stage"), won.format("closed_at", "deals", "outcome")
    assert count(ask, dirty, f"from (({stages}) except ({deals}))") == 0
    assert count(ask, dirty, f"from (({deals}) except ({stages}))") == 0
    opened = """from stages s join leads using (lead_id) anti join deals d
                on d.account_id = leads.account_id and d.opened_at = s.entered_at where s.stage = 'opportunity'"""
    assert count(ask, dirty, opened) == 0
    qualified = """from stages s anti join touches t on t.lead_id = s.lead_id and t.known_at = s.entered_at
                   and t.kind in ('demo_request', 'pricing_page', 'webinar') where s.stage = 'mql'"""
    assert count(ask, dirty, qualified) == 0
    assert count(ask, dirty, "from stages where (reason is not null) != (stage = 'recycled')") == 0


def test_report_counts_what_the_files_hold(ask, dirty):
    report = json.loads((dirty.path / "simulation.json").read_text())
    for name in SCHEMAS:
        assert count(ask, dirty, f"from {name}") == report["rows"][name] == dirty.rows[name]
    assert report["planted"] == asdict(dirty.planted)
    assert report["people"] == dirty.people == dirty.rows["leads"] - dirty.planted.merges
    assert str(dirty).startswith(f"Simulated {dirty.rows['leads']:,} leads")


def test_as_many_leads_as_asked_for(usual, dirty):
    assert usual.people == pytest.approx(24_000, rel=0.05)
    assert dirty.people == pytest.approx(6_000, rel=0.05)


def test_same_seed_same_bytes_on_one_thread_or_many(dirty, tmp_path, monkeypatch):
    monkeypatch.setattr(simulation, "_workers", lambda: 1)
    again = simulate(tmp_path, leads=6_000, seed=3, traps=Traps(duplicates=True, merges=True))
    for file in sorted(dirty.path.iterdir()):
        assert file.read_bytes() == (tmp_path / file.name).read_bytes(), file.name
    assert again.rows == dirty.rows


def test_other_seed_other_tables(tmp_path):
    for seed in (1, 2):
        simulate(tmp_path / str(seed), leads=300, seed=seed)
    for name in ("leads", "touches", "deals", "truth"):
        assert (tmp_path / "1" / f"{name}.parquet").read_bytes() != (tmp_path / "2" / f"{name}.parquet").read_bytes()


def test_block_size_changes_no_probability(ask, plain, tmp_path, monkeypatch):
    monkeypatch.setattr(block, "ACCOUNTS_PER_BLOCK", 100)
    again = simulate(tmp_path, leads=1_500, seed=8)
    for query in ("from truth order by all", "select lead_id, occurred_at, known_at, kind from touches order by all"):
        assert ask(again, query) == ask(plain, query)


def test_failure_leaves_no_file_of_its_own(tmp_path):
    def stop(share):
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        simulate(tmp_path, leads=300, progress=stop)
    assert list(tmp_path.iterdir()) == []


def test_an_earlier_simulation_is_replaced_whole(tmp_path):
    simulate(tmp_path, leads=300, traps=Traps(merges=True))
    assert (tmp_path / "merges.parquet").exists()
    shares = []
    simulate(tmp_path, leads=300, progress=shares.append)
    assert not (tmp_path / "merges.parquet").exists()
    assert shares == [1.0]
    assert not [file for file in tmp_path.iterdir() if file.name.startswith(".")]


def test_leads_must_be_asked_for(tmp_path):
    with pytest.raises(ValueError, match="at least 1"):
        simulate(tmp_path, leads=0)


def test_strings_are_plain_strings(dirty):
    schema = pq.read_schema(dirty.path / "touches.parquet")
    assert schema.field("kind").type == pa.string()


def test_a_world_of_the_wrong_shape_is_refused_by_name(tmp_path):
    with pytest.raises(ValueError, match=r"World\.role_share must sum to 1"):
        simulate(tmp_path, leads=300, world=replace(DEFAULT_WORLD, role_share=(0.5, 0.5, 0.5, 0.5)))
    with pytest.raises(ValueError, match=r"World\.win_hazard needs 4 values"):
        simulate(tmp_path, leads=300, world=replace(DEFAULT_WORLD, win_hazard=(0.1, 0.2)))
