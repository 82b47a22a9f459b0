"""The playbook: what it accepts, what it says when it does not, and what identifies it."""

from __future__ import annotations

import json
import random
import tomllib
from contextlib import suppress
from datetime import timedelta

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from touchline.playbook import (
    Playbook,
    PlaybookError,
    load_playbook,
    parse_playbook,
    playbook_schema,
    starter_playbook,
    starter_text,
)
from touchline.playbook.lines import key_lines


def test_the_starter_says_what_the_rules_say():
    playbook = starter_playbook()
    assert playbook.outcome.horizon == timedelta(days=91)
    assert playbook.handoff.sla == timedelta(hours=48)
    assert playbook.small_data.ranks_from == 15
    assert [stage.role for stage in playbook.stages] == [
        "lead", "mql", "sal", "sql", "opportunity", "won", "lost", "recycled",
    ]  # fmt: skip
    assert playbook.attributes["phone_filled"].known == "never"


def test_every_words_of_the_starter_speaks_both_languages_differently_enough():
    kinds = starter_playbook().kinds.values()
    assert all(kind.words["en"] != kind.words["fr"] for kind in kinds)


def test_comments_and_order_of_keys_do_not_change_the_digest_and_content_does():
    text = starter_text()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert parse_playbook("\n".join(lines)).digest == starter_playbook().digest
    document = tomllib.loads(text)
    shuffled = dict(random.Random(1).sample(list(document.items()), len(document)))
    assert Playbook.model_validate(shuffled).digest == starter_playbook().digest
    document["outcome"]["horizon"] = "12w"
    assert Playbook.model_validate(document).digest != starter_playbook().digest


def test_the_digest_does_not_depend_on_how_a_length_of_time_is_written():
    assert parse_playbook(starter_text().replace('"13w"', '"91d"')).digest == starter_playbook().digest


def test_the_schema_accepts_the_starter_and_refuses_what_the_model_refuses():
    schema = playbook_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    document = json.loads(json.dumps(tomllib.loads(starter_text())))
    jsonschema.validate(document, schema)
    document["sources"] = [{"table": "touches", "path": "x.csv", "columns": {"lead_id": "who", "kind": {"value": "a"}}}]
    jsonschema.validate(document, schema)
    for wrong in ({"horizn": 1}, {"outcome": {"horizon": "soon"}}, {"languages": ["xx"]}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**document, **wrong}, schema)


def problems(change: str, to: str) -> list[str]:
    assert change in starter_text()
    with pytest.raises(PlaybookError) as caught:
        parse_playbook(starter_text().replace(change, to, 1))
    return [str(problem) for problem in caught.value.problems]


def line_of(part: str) -> int:
    return next(n for n, line in enumerate(starter_text().splitlines(), start=1) if part in line)


@pytest.mark.parametrize(
    ("change", "to", "told"),
    [
        ('horizon = "13w"', 'horizon = "0d"', "`outcome.horizon` must be longer than nothing"),
        ('every = "week"', 'every = "weak"', "`snapshots.every` has a value that is not allowed"),
        ('family = "marketing"', 'family = "nobody"', "`kinds.email_sent.family` names the family `nobody`"),
        ('channel = "email"', 'channel = "fax"', "`kinds.email_sent.channel` names the channel `fax`"),
        ('sends = ["email_sent"]', 'sends = ["mail"]', "`scanners.sends` names the touch kind `mail`"),
        ("max_share = 0.01", "max_share = 7", "`quarantine.max_share` is not right"),
        ("full_from = 150", "full_from = 5", "`small_data` has limits that do not rise"),
        ('name = "mql"', 'name = "lead"', "`stages[2].name` repeats the name `lead`"),
        (', fr = "Contact" }', " }", "`stages[1].words` has no words in fr"),
        ("was sent {n} e-mails", "was sent e-mails", "`kinds.email_sent.many.en` does not say how many"),
        ("[attributes.industry]", "[attributes.name]", "`attributes.name` is a column of accounts already"),
        ('# time_zone = "Europe/Paris"  ', 'time_zone = "Mars/Base"', "`time_zone` names the time zone `Mars/Base`"),
    ],
)
def test_each_disagreement_is_told_with_its_line(change, to, told):
    (problem,) = [p for p in problems(change, to) if told in p]
    assert "To mend it, " in problem
    line = int(problem.split(":")[0].removeprefix("line "))
    assert abs(line - line_of(change)) <= 3  # the key, or the header of its table


def test_a_journey_without_an_end_is_told_where_the_journey_begins():
    (problem,) = problems('role = "won"', 'role = "lost"')
    assert problem.startswith(f"line {line_of('[[stages]]')}: `stages` has no stage of role `won`")


def test_a_misspelt_key_is_answered_with_the_right_one():
    assert f"line {line_of('active_within')}" in "\n".join(problems("active_within", "active_witin"))
    assert "write `active_within`" in "\n".join(problems("active_within", "active_witin"))


def test_a_source_column_that_no_table_has_is_told():
    text = starter_text() + '\n[[sources]]\ntable = "touches"\npath = "t.csv"\ncolumns = { when = "date" }\n'
    with pytest.raises(PlaybookError, match=r"`sources\[1\].columns.when` is not a column of touches"):
        parse_playbook(text)


def test_text_that_is_no_toml_is_told_with_its_line():
    with pytest.raises(PlaybookError) as caught:
        parse_playbook('name = "x"\nlanguages = [en]\n')
    assert caught.value.problems[0].line == 2


@pytest.mark.parametrize("content", [b"\xff\xfe", b"name = 'caf\xe9'"])
def test_a_file_that_is_not_utf8_is_told(tmp_path, content):
    path = tmp_path / "playbook.toml"
    path.write_bytes(content)
    with pytest.raises(PlaybookError, match="save it as UTF-8"):
        load_playbook(path)


values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.text(max_size=5), inner, max_size=2)),
    max_leaves=4,
)


@settings(max_examples=150, deadline=None)
@given(data=st.data(), value=values)
def test_whatever_stands_in_a_key_is_accepted_or_told_and_never_crashes(data, value):
    document = tomllib.loads(starter_text())
    document["sources"] = [
        {"table": "touches", "path": "x", "columns": {"kind": {"column": "a"}}, "only": {"a": ["b"]}}
    ]
    where, key = document, data.draw(st.sampled_from(sorted(document)))
    while isinstance(where[key], (dict, list)) and where[key] and data.draw(st.booleans()):
        where = where[key]
        key = data.draw(st.sampled_from(sorted(where) if isinstance(where, dict) else range(len(where))))
    where[key] = value
    with suppress(ValidationError):
        Playbook.model_validate(document)


TOML = '''
a = 1
"quoted key" = 2
multi = """
[not.a.header]
b = 3
"""
c = [ # comment with ]
  { d = 1 },
  "x = [",
]
[t.u]
e = { f = 1 }
g.h = 2
[[arr]]
i = 1
[[arr]]
i = 2
[arr.sub]
j = 3
'''


def test_lines_of_keys_are_found_whatever_stands_between():
    lines = key_lines(TOML)
    assert {key: lines[key] for key in [
        ("a",), ("quoted key",), ("multi",), ("c",), ("t", "u"), ("t", "u", "e"), ("t", "u", "g", "h"),
        ("arr", 0), ("arr", 0, "i"), ("arr", 1), ("arr", 1, "i"), ("arr", 1, "sub", "j"),
    ]} == {
        ("a",): 2, ("quoted key",): 3, ("multi",): 4, ("c",): 8, ("t", "u"): 12, ("t", "u", "e"): 13,
        ("t", "u", "g", "h"): 14, ("arr", 0): 15, ("arr", 0, "i"): 16, ("arr", 1): 17, ("arr", 1, "i"): 18,
        ("arr", 1, "sub", "j"): 20,
    }  # fmt: skip
    assert ("b",) not in lines
    assert ("not", "a", "header") not in lines
