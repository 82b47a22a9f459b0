"""Playbooks that read well and cannot work are told before any data is read."""

from __future__ import annotations

import pytest

from touchline.playbook import PlaybookError, load_playbook, parse_playbook, starter_text


@pytest.mark.parametrize(
    "section",
    [
        "columns = { kind = { columns = [] } }",
        'columns = { kind = { column = "a", map = {} } }',
        'delimiter = "ab"',
        'encoding = "hex"',
        'encoding = "rot13"',
        'encoding = "undefined"',
        'encoding = "zlib"',
        'encoding = "\\u0000"',
        'columns = { occurred_at = { column = "a", format = "%Q" } }',
        'columns = { occurred_at = { column = "a", format = "" } }',
        'columns = { occurred_at = { column = "a", format = "%" } }',
        'columns = { occurred_at = { column = "a", format = "%H:%M" } }',
        'time_zone = "localtime"',
        'known_after = "900000000d"',
        'known_after = "99999999999999999999d"',
        'relation = ""',
        'relation = "a..b"',
    ],
)
def test_a_source_that_cannot_work_is_told_by_the_playbook(section):
    with pytest.raises(PlaybookError):
        parse_playbook(f'{starter_text()}\n[[sources]]\ntable = "touches"\npath = "t.csv"\n{section}\n')


@pytest.mark.parametrize(
    ("change", "to"),
    [
        ('languages = ["en", "fr"]', "languages = []"),
        ('email.words = { en = "E-mail"', 'email.raw = ["x"]\nweb.raw = ["x"]\nemail.words = { en = "E-mail"'),
        ("security.words = { en", 'security.raw = ["x"]\nsupport.raw = ["x "]\nsecurity.words = { en'),
        ("minimum_amount = 0", "minimum_amount = inf"),
        ("target = 24", "target = nan"),
        ('role = "lead"', "role = []"),
        ('role = "lead"', "role = {}"),
        ("[attributes.role]", "[attributes.merged_into]"),
    ],
)
def test_a_playbook_that_cannot_work_is_told(change, to):
    assert change in starter_text()
    with pytest.raises(PlaybookError) as caught:
        parse_playbook(starter_text().replace(change, to, 1))
    assert "change the value" not in str(caught.value)


def test_a_playbook_from_a_windows_editor_is_read(tmp_path):
    path = tmp_path / "playbook.toml"
    path.write_bytes(b"\xef\xbb\xbf" + starter_text().encode())
    assert load_playbook(path).name == "Starter"


def test_a_playbook_that_is_no_file_is_told(tmp_path):
    (tmp_path / "p.toml").write_text("")
    for path in (tmp_path, tmp_path / "p.toml" / "x", tmp_path / ("n" * 300)):
        with pytest.raises(PlaybookError):
            load_playbook(path)


def test_deep_nesting_is_told():
    with pytest.raises(PlaybookError, match="nested too deeply"):
        parse_playbook("a = " + "[" * 5000 + "]" * 5000)
