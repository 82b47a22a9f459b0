"""An audit shows what was looked at, reads well, and gives nobody away."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest

from touchline.features.audit import Audit, Code, Finding, audit


@pytest.fixture(scope="module")
def whole(company) -> Audit:
    return audit(company.tables, company.playbook, catalog=company.few, training=company.training, sample_leads=100)


def test_every_check_is_listed_with_a_figure_or_a_reason(whole):
    assert {f.code for f in whole.findings} == set(Code)
    for f in whole.findings:
        assert f.figures or "not looked at" in f.message, f
        assert f.message
        assert f.subject


def test_advice_comes_with_all_that_is_not_well_and_with_nothing_else(whole):
    for f in whole.findings:
        assert bool(f.advice) is (f.severity != "ok" and "not looked at" not in f.message), f
    for code in Code:
        assert len(code.looks_at) > 20
        assert len(code.advice) > 20
        assert Code(str(code)) is code


def test_the_worst_comes_first_and_blocks():
    def finding(severity):
        return Finding(Code.LABELS, severity, "rows", {"rows": 1}, "told")

    from touchline.features.audit.findings import in_order

    some = Audit(in_order([finding("ok"), finding("warn"), finding("block"), finding("note")]))
    assert [f.severity for f in some.findings] == ["block", "warn", "note", "ok"]
    assert some.blocked
    assert not Audit(in_order([finding("warn")])).blocked
    assert [f.severity for f in some.worse_than("note")] == ["block", "warn"]


def test_it_survives_json_and_shows_as_a_table(company, whole):
    plain = json.loads(json.dumps(whole.to_dict(), allow_nan=False))
    assert plain["blocked"] is whole.blocked
    assert len(plain["findings"]) == len(whole.findings) == len(whole.table())
    assert list(whole.table().columns) == ["severity", "code", "subject", "message", "figures", "advice"]
    assert plain["about"]["rows"] == len(company.training)


def test_no_lead_account_or_value_is_named(company, whole):
    told = json.dumps(whole.to_dict()) + whole.html()
    leads, accounts = (company.tables.frame(t) for t in ("leads", "accounts"))
    secrets = [*leads["lead_id"], *accounts["account_id"], *leads["name"], *accounts["name"], *leads["owner_id"]]
    secrets += list(accounts["industry"].unique())
    words = set(re.findall(r"[\w-]+", told))
    assert not words & {str(s) for s in secrets if " " not in str(s)}
    assert not [s for s in map(str, secrets) if " " in s and s in told]


class Strict(HTMLParser):
    """Reads a page and notes its tags and what it would load."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.loads: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.loads += [v for k, v in attrs if k in ("src", "href") and v]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_stands_alone_and_is_escaped():
    figures = {"n": 3, "share": 0.25}
    evil = Audit(
        (Finding(Code.SINGLE_AUC, "warn", "<script>x</script>", figures, "a & b <b>", "'\"<i>"),), {"set": "<u>"}
    )
    page = Strict(evil.html())
    assert not page.open
    assert not page.loads
    assert not page.tags & {"script", "b>", "i", "u", "link", "img", "iframe"}
    assert "&lt;script&gt;" in evil.html()
    assert "url(" not in evil.html()
    assert "@import" not in evil.html()
    assert not Strict(evil._repr_html_()).open
    assert "Must be looked at (1)" in evil.html()


def test_only_what_was_asked_for_is_looked_at(find):
    found = find(Code.MASS_IMPORT, "late_facts")
    assert {f.code for f in found.audit.findings} == {Code.MASS_IMPORT, Code.LATE_FACTS}
    with pytest.raises(ValueError, match="leaks"):
        find("leaks")
