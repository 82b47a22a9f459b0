"""Makes what is read at run time from what translators edit: every `.po` of this folder into its `.mo`.

    python -m touchline.playbook.language.compile

A test compares the two, so that none is forgotten.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent


def compiled(po: bytes) -> bytes:
    """The `.mo` of a `.po`: the same bytes on every machine and for every version of Babel.

    Raises
    ------
    ValueError
        If a message has no translation, misses a plural form, or is still marked fuzzy; it names the line.
    babel.messages.pofile.PoFileError
        If it is no `.po`.
    """
    from babel.messages.catalog import Catalog, Message
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    read = read_po(io.BytesIO(po), abort_invalid=True)
    messages = [message for message in read if message.id]
    for message in messages:
        forms = [message.string] if isinstance(message.string, str) else list(message.string or ())
        if message.fuzzy or not forms or not all(forms) or (message.pluralizable and len(forms) != read.num_plurals):
            raise ValueError(f"line {message.lineno}: translate every form of {message.id!r}, and take `fuzzy` away")

    class Plain(Catalog):
        """Without the header's dates and the version of Babel, which would change the file and nothing else."""

        def __iter__(self) -> Iterator[Message]:
            header = f"Content-Type: text/plain; charset=utf-8\nPlural-Forms: {read.plural_forms}\n"
            yield Message("", header)
            yield from messages

    file = io.BytesIO()
    write_mo(file, Plain(charset="utf-8"))
    return file.getvalue()


def main() -> None:
    """Compile all languages."""
    for po in sorted(HERE.glob("*.po")):
        po.with_suffix(".mo").write_bytes(compiled(po.read_bytes()))


if __name__ == "__main__":
    main()
