# ruff: noqa: RUF001  # French has its own marks
"""Languages: messages, plurals, numbers and days as each language writes them, and no message without a translation."""

from __future__ import annotations

import ast
import pickle
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchline.playbook import Playbook, PlaybookError, parse_playbook, starter_playbook, starter_text
from touchline.playbook.language import CODES, Language
from touchline.playbook.language.compile import HERE, compiled

ROOT = Path(__file__).parents[2]
ROOMS = ("playbook", "features", "models", "serve", "pipelines")
EN, FR = Language.of("en"), Language.of("fr")
NARROW, NO_BREAK, MINUS = "\u202f", "\u00a0", "\u2212"
Message = tuple[str, ...]
"""A message, or its forms for one and for many."""


def messages_of_python(source: str) -> Iterator[Message]:
    """All messages that a module says; one that is not written out is an error, for nobody could translate it."""
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        wanted = {"say": 1, "count": 2}.get(node.func.attr, 0)
        forms = [a.value for a in node.args[:wanted] if isinstance(a, ast.Constant) and isinstance(a.value, str)]
        if not wanted or (wanted == 2 and (len(node.args) != 3 or not forms)):  # others have a `count`, too
            continue
        assert len(forms) == wanted, f"line {node.lineno}: write the message out, so that it can be translated"
        yield tuple(forms)


def messages_of_template(source: str) -> Iterator[Message]:
    """All messages that a Jinja template says: `_("…")` and `ngettext("…", "…", n)`."""
    text = r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
    for one in re.findall(rf"\b_\(\s*{text}", source):
        yield (ast.literal_eval(one),)
    for forms in re.findall(rf"\bngettext\(\s*{text}\s*,\s*{text}", source):
        yield tuple(ast.literal_eval(form) for form in forms)


def said_in_source() -> set[Message]:
    found: set[Message] = set()
    for room in ROOMS:
        for path in (ROOT / room).rglob("*"):
            if path.suffix == ".py":
                found.update(messages_of_python(path.read_text(encoding="utf-8")))
            elif path.suffix in (".html", ".jinja", ".j2"):
                found.update(messages_of_template(path.read_text(encoding="utf-8")))
    return found


def translations(code: str) -> dict[Message, Message]:
    from babel.messages.pofile import read_po

    with (HERE / f"{code}.po").open("rb") as file:
        catalogue = read_po(file, abort_invalid=True)
    as_forms = [(m.id, m.string) for m in catalogue if m.id]
    return {
        (one,) if isinstance(one, str) else tuple(one): (said,) if isinstance(said, str) else tuple(said)
        for one, said in as_forms
    }


def test_the_extractor_finds_what_is_said_and_refuses_what_it_cannot_read():
    source = 'x.say("a {b}", b=1); y.count("one", "{n} many", 3); [1].count(1); "aa".count("a", 1); z.count(a, b, 3)'
    assert list(messages_of_python(source)) == [("a {b}",), ("one", "{n} many")]
    with pytest.raises(AssertionError, match="write the message out"):
        list(messages_of_python("x.say(message)"))
    with pytest.raises(AssertionError, match="write the message out"):
        list(messages_of_python('x.count("one", many, 3)'))
    template = """{{ _("It\\"s") }} {{ _('x') }} {{ ngettext("one", '{n} many', n) }} {{ not_("y") }}"""
    assert set(messages_of_template(template)) == {('It"s',), ("x",), ("one", "{n} many")}


@pytest.mark.parametrize("code", CODES[1:])
def test_every_message_of_the_source_is_translated_and_no_translation_is_left_over(code):
    said, translated = said_in_source(), set(translations(code))
    assert not said - translated, "these messages have no translation"
    assert not translated - said, "nobody says these messages any more"


@pytest.mark.parametrize("code", CODES)
def test_translations_keep_the_names_of_values(code):
    for message, said in translations(code).items():
        named = {name for form in message for _, name, _, _ in Formatter().parse(form) if name}
        for form in said:
            names = {name for _, name, _, _ in Formatter().parse(form) if name}
            assert names <= named, form
            assert named - names <= {"n"}, form  # "once" needs no number
        assert "n" not in named or "{n}" in said[-1], said


@pytest.mark.parametrize("code", CODES)
def test_what_is_read_is_what_translators_wrote(code):
    mo = (HERE / f"{code}.mo").read_bytes()
    assert mo == compiled((HERE / f"{code}.po").read_bytes()), "run `python -m touchline.playbook.language.compile`"


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ('msgid "a"\nmsgstr ""', r"line 3: translate every form of 'a'"),
        ('msgid "a"\nmsgid_plural "b"\nmsgstr[0] "c"\nmsgstr[1] ""', r"translate every form"),
        ('msgid "a"\nmsgid_plural "b"\nmsgstr[0] "c"', r"translate every form"),
        ('#, fuzzy\nmsgid "a"\nmsgstr "b"', "take `fuzzy` away"),
    ],
)
def test_a_translation_that_is_not_finished_is_not_compiled(entry, told):
    header = (
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\nPlural-Forms: nplurals=2; plural=(n > 1);\\n"\n'
    )
    with pytest.raises(ValueError, match=told):
        compiled((header + entry + "\n").encode())


def test_a_message_without_translation_is_an_error_that_says_what_to_do():
    with pytest.raises(KeyError, match=r"add it to the \.po file"):
        FR.say("nobody has translated this")
    with pytest.raises(KeyError, match=r"add it to the \.po file"):
        FR.count("{n} unheard-of", "{n} unheard-ofs", 2)
    assert EN.say("nobody has translated this") == "nobody has translated this"


def test_a_language_is_one_object_and_an_unknown_one_is_told():
    assert Language.of("fr") is FR
    assert pickle.loads(pickle.dumps(FR)) is FR  # noqa: S301  # our own
    assert FR.code == "fr"
    with pytest.raises(ValueError, match="there is no language 'de'; use one of en, fr"):
        Language.of("de")
    assert list(CODES) == Playbook.model_json_schema()["properties"]["languages"]["items"]["enum"]


def test_babel_is_not_imported_before_a_number_is_written():
    code = (
        "import sys; from touchline.playbook.language import Language; Language.of('fr').say('today');"
        "assert 'babel' not in sys.modules; Language.of('fr').number(3); assert 'babel' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 11, 21, 1000, 1_000_000])
def test_plurals_follow_each_language(n):
    assert EN.count("{n} day", "{n} days", n) == f"{n:,} day{'' if n == 1 else 's'}"
    assert FR.count("{n} day", "{n} days", n) == f"{n:,} jour{'' if n < 2 else 's'}".replace(",", NARROW)


@pytest.mark.parametrize(
    ("x", "digits", "en", "fr"),
    [
        (1234567, 0, "1,234,567", f"1{NARROW}234{NARROW}567"),
        (1234.5, 1, "1,234.5", f"1{NARROW}234,5"),
        (3, 2, "3.00", "3,00"),
        (-7, 0, f"{MINUS}7", f"{MINUS}7"),
        (-0.3, 0, "0", "0"),
        (999.96, 1, "1,000.0", f"1{NARROW}000,0"),
    ],
)
def test_numbers(x, digits, en, fr):
    assert EN.number(x, digits) == en
    assert FR.number(x, digits) == fr


@pytest.mark.parametrize(
    ("p", "en", "fr"),
    [
        (0.0, "0%", "0 %"), (0.0001, "<0.1%", "moins de 0,1 %"), (0.004, "0.4%", "0,4 %"), (0.0096, "1%", "1 %"),
        (0.123, "12%", "12 %"), (0.995, "99.5%", "99,5 %"), (0.9999, ">99.9%", "plus de 99,9 %"),
        (1.0, "100%", "100 %"), (12.5, "1,250%", f"1{NARROW}250 %"), (-0.05, f"{MINUS}5%", f"{MINUS}5 %"),
    ],
)  # fmt: skip
def test_small_and_sure_chances_are_not_rounded_to_never_and_always(p, en, fr):
    assert EN.percent(p) == en
    assert FR.percent(p) == fr.replace(" %", f"{NARROW}%")


@given(st.floats(0, 1), st.sampled_from(CODES))
def test_only_nothing_is_0_percent_and_only_all_is_100(p, code):
    said = re.sub(r"[\s%]", "", Language.of(code).percent(p))
    assert (said == "0") == (100 * p == 0)
    assert (said == "100") == (100 * p >= 100)


def test_a_share_with_its_digits_given_has_them():
    assert EN.percent(0.12345, 2) == "12.35%"
    assert EN.percent(0.0001, 0) == "0%"


@pytest.mark.parametrize(
    ("x", "said"), [(9, "+9"), (-2, f"{MINUS}2"), (0.4, "0"), (-0.4, "0"), (8.6, "+9"), (1200, "+1,200")]
)
def test_points_carry_their_sign(x, said):
    assert EN.points(x) == said


def test_days():
    march = date(2026, 3, 12)
    assert (EN.date(march, march), FR.date(march, march)) == ("12 March", "12 mars")
    assert (EN.date(march), EN.date(march, date(2027, 1, 1))) == ("12 March 2026", "12 March 2026")
    assert FR.date(date(2026, 8, 1), date(2026, 9, 1)) == "1er août"
    assert FR.date(date(2026, 8, 11)) == "11 août 2026"


@pytest.mark.parametrize(
    ("days", "en", "fr"),
    [
        (0, "today", "aujourd’hui"), (1, "yesterday", "hier"), (2, "2 days ago", "il y a 2 jours"),
        (13, "13 days ago", "il y a 13 jours"), (14, "2 weeks ago", "il y a 2 semaines"),
        (20, "3 weeks ago", "il y a 3 semaines"), (60, "9 weeks ago", "il y a 9 semaines"),
        (61, "2 months ago", "il y a 2 mois"), (150, "5 months ago", "il y a 5 mois"),
        (699, "23 months ago", "il y a 23 mois"), (700, "2 years ago", "il y a 2 ans"),
        (3653, "10 years ago", "il y a 10 ans"),
    ],
)  # fmt: skip
def test_how_long_ago(days, en, fr):
    today = date(2026, 3, 20)
    assert EN.ago(today - timedelta(days=days), today) == en
    assert FR.ago(today - timedelta(days=days), today) == fr


def test_what_is_yet_to_come_is_not_ago():
    with pytest.raises(ValueError, match="is not past"):
        EN.ago(date(2026, 3, 21), date(2026, 3, 20))


def test_lists():
    assert EN.listed(["a", "b", "c"]) == "a, b and c"
    assert FR.listed(["a", "b", "c"]) == "a, b et c"
    assert [EN.listed(x) for x in ([], ["a"], ["a", "b"])] == ["", "a", "a and b"]


def test_french_marks_get_their_spaces_whatever_stood_there_and_others_are_left_alone():
    assert FR.typeset("Prix : « 5 % » ! 10:30 ; vraiment ?") == (
        f"Prix{NO_BREAK}: «{NO_BREAK}5{NARROW}%{NO_BREAK}»{NARROW}! 10:30{NARROW}; vraiment{NARROW}?"
    )
    assert FR.typeset(f"a{NO_BREAK}; b{NARROW}:") == f"a{NARROW}; b{NO_BREAK}:"
    assert EN.typeset("a : b") == "a : b"


@given(st.text("ab :;!?%«»\u202f\u00a0"))
def test_typesetting_twice_is_typesetting_once_and_changes_spaces_only(text):
    once = FR.typeset(text)
    assert FR.typeset(once) == once
    assert re.sub(r"\s", "", once) == re.sub(r"\s", "", text)


def test_values_are_typeset_with_their_message():
    assert FR.say("{what}: {value}", what="Appel : prévu", value="oui") == f"Appel{NO_BREAK}: prévu{NO_BREAK}: oui"


def test_every_kind_of_the_starter_says_what_did_not_happen():
    for kind in starter_playbook().kinds.values():
        assert kind.none is not None
        assert kind.none["en"] not in (kind.words["en"], kind.none["fr"])
        assert re.search(r"\b(no|not)\b", kind.none["en"])
        assert re.match(r"n’|ne ", kind.none["fr"])


def test_words_for_absence_speak_every_language():
    text = starter_text().replace(', fr = "n’a suivi aucun webinaire" }', " }")
    with pytest.raises(PlaybookError, match=r"`kinds.webinar.none` has no words in fr"):
        parse_playbook(text)


def test_a_name_of_ones_own_may_be_none_or_many():
    text = starter_text().replace("security.words", "none.words").replace("[kinds.sales_call]", "[kinds.many]")
    playbook = parse_playbook(text)
    assert "none" in playbook.topics
    assert playbook.kinds["many"].none == starter_playbook().kinds["sales_call"].none
