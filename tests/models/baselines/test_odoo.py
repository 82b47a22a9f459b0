"""Odoo's scoring on our tables: honest point in time, and full of hindsight as shipped."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from touchline.features import CatalogError, DataError
from touchline.features.catalog import Attribute, First
from touchline.models.baselines import OdooLeads, OdooPLS, odoo_counts, odoo_probability
from touchline.models.baselines.odoo_today import read_today

INDUSTRY, CHANNEL = Attribute("industry"), First(of="channel", engagement=True)
JOURNEY = """
[[stages]]
name = "mql"
role = "mql"
owner = "marketing"
words.en = "Ready"

[[stages]]
name = "deal"
role = "opportunity"
owner = "sales"
words.en = "Deal"

[[stages]]
name = "again"
role = "recycled"
owner = "marketing"
words.en = "Again"

[families.mail]"""


def test_point_in_time_counts_the_values_of_the_set_and_no_stage(playbook, write_set):
    odoo = OdooPLS(playbook, fields=["industry", "first_channel"])
    assert odoo.features == (INDUSTRY, CHANNEL)
    assert odoo.leaks is None
    won, weights = [True, False, False, True], [0.5, 0.5, 1.0, 1.0]
    values = {INDUSTRY: ["steel", "steel", "food", None], CHANNEL: ["web", "email", None, "web"]}
    asked = {INDUSTRY: ["steel", "food", "never seen", None], CHANNEL: ["web", "web", None, None]}
    found = odoo.fit(write_set(values, won, weights=weights)).score(write_set(asked))

    def product(*ratios):
        odds = (1.6 / 1.6) * np.prod(ratios)  # won and lost leads, 0.1 more of each
        return round(100 * odds / (1 + odds), 2)

    steel, food = (0.6 / 0.7) / (0.6 / 1.7), (0.1 / 0.7) / (1.1 / 1.7)
    web = (1.6 / 1.7) / (0.1 / 0.7)
    assert found.tolist() == [product(steel, web), product(food, web), 50.0, 50.0]


def test_a_lead_counts_once_however_many_rows_it_has(playbook, write_set):
    odoo = OdooPLS(playbook, fields=["industry"])
    once = odoo.fit(write_set({INDUSTRY: ["steel", "food"]}, [True, False])).counts_
    rows = {INDUSTRY: ["steel"] * 4 + ["food"] * 5}
    often = odoo.fit(write_set(rows, [True] * 4 + [False] * 5, weights=[1 / 4] * 4 + [1 / 5] * 5)).counts_
    pd.testing.assert_frame_equal(once, often)


def test_by_default_all_that_is_discrete_counts(playbook, simulated):
    assert OdooPLS(playbook).fields == ("industry", "region", "role", "email_domain_kind", "first_channel")
    shipped = OdooPLS(playbook, form="as_shipped", tables=simulated.tables)
    assert shipped.fields == (*OdooPLS(playbook).fields, "language")
    assert shipped.features == ()


def test_a_team_is_no_field_but_a_table_of_its_own(playbook, write_set):
    odoo = OdooPLS(playbook, fields=["industry", "region"], team="region")
    assert odoo.fields == ("industry",)
    region = Attribute("region")
    rows = {INDUSTRY: ["steel"] * 6, region: ["north", "north", "north", "south", "south", "south"]}
    odoo.fit(write_set(rows, [True, True, False, False, False, True]))
    asked = {INDUSTRY: ["steel"] * 4, region: ["north", "south", "east", None]}
    north, south, unknown, none = odoo.score(write_set(asked))
    assert south < unknown == none < north


def test_without_any_team_known_all_leads_are_judged_together(playbook, write_set):
    region = Attribute("region")
    rows = {INDUSTRY: ["steel", "food"], region: [None, None]}
    with_team = OdooPLS(playbook, fields=["industry"], team="region").fit(write_set(rows, [True, False]))
    without = OdooPLS(playbook, fields=["industry"]).fit(write_set(rows, [True, False]))
    assert with_team.score(write_set(rows)).tolist() == without.score(write_set(rows)).tolist()


def test_without_a_win_everybody_has_a_low_chance(playbook, write_set):
    odoo = OdooPLS(playbook, fields=["industry"]).fit(write_set({INDUSTRY: ["steel", "food", "food"]}, [False] * 3))
    found = odoo.score(write_set({INDUSTRY: ["steel", "food", None, "never seen"]}))
    assert ((found >= 0.01) & (found < 10)).all()


def test_a_missing_field_is_named(playbook, write_set):
    odoo = OdooPLS(playbook, fields=["industry", "role"])
    with pytest.raises(DataError, match=r"lacks 1 of the 2 features .*: role"):
        odoo.fit(write_set({INDUSTRY: ["steel"]}, [True]))


def test_forms_and_fields_that_cannot_be_are_refused(playbook, simulated):
    with pytest.raises(ValueError, match="as_shipped"):
        OdooPLS(playbook, form="as shipped")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="tables"):
        OdooPLS(playbook, form="as_shipped")
    with pytest.raises(ValueError, match="tables"):
        OdooPLS(playbook, tables=simulated.tables)
    with pytest.raises(CatalogError, match="did you mean 'region'"):
        OdooPLS(playbook, team="regoin")
    with pytest.raises(CatalogError, match="language"):
        OdooPLS(playbook, fields=["language"])


@pytest.fixture
def closed(company):
    """Leads whose present is known: a-b won, c-e lost, f-i open, j the same person as a."""
    company.playbook_text = company.playbook_text.replace("\n[families.mail]", JOURNEY)
    company.playbook_text = company.playbook_text.replace("[channels]\n", '[channels]\nweb.words.en = "Web"\n')
    places = {"b": "steel", "e": "food"}
    company.write("leads", [
        {"lead_id": i, "created_at": "2024-01-01T00:00:00Z", "industry": places.get(i, ""), "language": "fr"}
        for i in "abcdefghij"
    ])  # fmt: skip
    company.write("touches", [
        company.touch("T1", "a", "2024-01-05T00:00:00Z", kind="click", channel=""),
        company.touch("T2", "a", "2024-01-04T00:00:00Z", kind="send", channel="email"),
        company.touch("T3", "b", "2024-01-04T00:00:00Z", kind="open", channel="email"),
        company.touch("T4", "b", "2024-01-05T00:00:00Z", kind="open", channel="web"),
        company.touch("T5", "c", "2024-01-05T00:00:00Z", kind="send", channel="email"),
        company.touch("T6", "c", "2024-01-05T00:00:01Z", kind="open", channel="email"),
    ])  # fmt: skip
    company.write("merges", [{"from_lead": "j", "into_lead": "a", "merged_at": "2024-02-01T00:00:00Z"}])
    company.write("changes", [
        {"lead_id": "a", "field": "size", "value": value, "known_at": f"2024-0{month}-01T00:00:00Z"}
        for month, value in ((3, "20"), (5, "30"), (4, "40"))
    ])  # fmt: skip
    company.write("stages", [
        {"lead_id": lead, "stage": stage, "entered_at": f"2024-0{month}-01T00:00:00Z"}
        for lead, month, stage in [
            ("a", 2, "mql"), ("b", 2, "deal"), ("b", 4, "won"), ("c", 2, "deal"), ("c", 4, "lost"), ("d", 2, "mql"),
            ("f", 2, "deal"), ("f", 3, "lost"), ("f", 5, "again"), ("g", 2, "deal"),
            ("h", 2, "deal"), ("h", 3, "mql"), ("i", 6, "mql"),
        ]
    ])  # fmt: skip
    deal = {"opened_at": "2024-02-02T00:00:00Z", "closed_at": "2024-04-01T00:00:00Z"}
    company.write("deals", [
        {"deal_id": "D1", "lead_id": "a", "outcome": "won", **deal},
        {"deal_id": "D2", "lead_id": "d", "outcome": "lost", **deal},
        {"deal_id": "D3", "lead_id": "e", "outcome": "lost", **deal},
        {"deal_id": "D4", "lead_id": "h", "outcome": "lost", **deal},
        {"deal_id": "D5", "lead_id": "h", "opened_at": "2024-05-01T00:00:00Z"},
        {"deal_id": "D6", "lead_id": "i", "outcome": "lost", **deal},
    ])  # fmt: skip
    assert company.check().ok
    return company


def test_today_is_how_each_lead_stands_and_ended(closed):
    today = read_today(closed.tables(), closed.playbook, ["industry", "size", "first_channel"], team=None)
    assert today.stages == 4  # lead, mql, deal, won: lost and recycled are no steps
    april = datetime(2024, 4, 1, tzinfo=UTC).timestamp() * 1e6
    found = pd.DataFrame({"stage": today.leads.stage, "won": today.won, "closed": today.closed}, today.lead_id)
    assert found["stage"].to_dict() == {"a": 3, "b": 3, "c": 2, "d": 1, "e": 0, "f": 0, "g": 2, "h": 1, "i": 1, "j": 3}
    assert found.index[found["won"]].tolist() == ["a", "b", "j"]
    assert found["closed"].dropna().to_dict() == dict.fromkeys("abcde", april)
    values = today.leads.fields.set_index(today.lead_id)
    assert values.loc["a", "size"] == "30"
    assert values.loc["b", ["industry", "first_channel"]].tolist() == ["steel", "email"]
    assert values["first_channel"].dropna().index.tolist() == [
        "b"
    ]  # a's click tells no channel, c's open is a scanner's


def test_as_shipped_counts_leads_closed_before_the_windows_end(closed, write_set):
    def counted(as_of):
        odoo = OdooPLS(closed.playbook, form="as_shipped", tables=closed.tables(), fields=["industry"])
        return odoo.fit(write_set({}, [True], as_of=as_of)).counts_

    counts = counted(datetime(2024, 3, 3, tzinfo=UTC))  # 30 days before the 2nd of April
    first = counts[(counts["field"] == "stage_id") & (counts["value"] == "0")]
    assert first[["won", "lost"]].to_numpy().tolist() == [[2.1, 3.1]]
    assert counts["value"][counts["field"] == "industry"].tolist() == ["food", "steel"]
    with pytest.raises(DataError, match="no lead that was won or lost"):
        counted(datetime(2024, 3, 2, tzinfo=UTC))


def test_as_shipped_gives_a_past_row_what_its_lead_is_today(closed, write_set):
    """Rows as of long before anything happened; the winners are known all the same."""
    odoo = OdooPLS(closed.playbook, form="as_shipped", tables=closed.tables(), fields=["industry"])
    odoo.fit(write_set({}, [True], as_of=datetime(2024, 3, 3, tzinfo=UTC)))
    early = write_set({}, leads=list("gabcg"), as_of=datetime(2024, 1, 2, tzinfo=UTC))
    found = odoo.score(early)
    assert found[1:3].tolist() == [100, 100]
    won = np.array([True, True, False, False, False])
    fields = pd.DataFrame({"industry": [None, "steel", None, None, "food"]}, dtype=object)
    counts = odoo_counts(OdooLeads(fields, np.array([3, 3, 2, 1, 0])), won, stages=4)
    at_deal = OdooLeads(pd.DataFrame({"industry": [None]}, dtype=object), np.array([2]))
    assert found[[0, 3, 4]].tolist() == [odoo_probability(counts, at_deal)[0]] * 3
    assert "today" in str(odoo.leaks)


def test_leads_that_the_tables_do_not_have_are_refused_without_naming_them(closed, write_set):
    odoo = OdooPLS(closed.playbook, form="as_shipped", tables=closed.tables())
    odoo.fit(write_set({}, [True], as_of=datetime(2024, 3, 3, tzinfo=UTC)))
    with pytest.raises(DataError, match="has 2 rows of leads that the tables do not have") as said:
        odoo.score(write_set({}, leads=["a", "Zoe", "Yves"]))
    assert "Zoe" not in str(said.value)


def test_wins_are_those_the_playbook_counts(closed):
    """With a smallest amount, a deal below it is no win; the stage of its lead is what sales says it is."""
    closed.playbook_text = closed.playbook_text.replace('horizon = "30d"', 'horizon = "30d"\nminimum_amount = 10')
    today = read_today(closed.tables(), closed.playbook, [], team=None)
    assert today.lead_id[today.won].tolist() == ["b"]


def test_hindsight_is_in_the_values_and_not_in_the_method(simulated, playbook):
    """The same rows and outcomes, ranked by today's stage and by values as of the time."""
    by_form = {b.form: b for b in simulated.baselines if isinstance(b, OdooPLS)}
    shipped = by_form["as_shipped"].fit(simulated.training).score(simulated.later)
    honest = by_form["point_in_time"].fit(simulated.training).score(simulated.later)
    won = simulated.later.y
    assert won.sum() > 20
    assert (shipped[won] == 100).all()
    assert honest.max() < 100
