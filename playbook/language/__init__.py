"""Languages: what people read, in each language that a playbook may speak.

In: English messages as they stand in the source, numbers and dates. Out: the same in the reader's language, with its
plurals, its number and date forms and its typography. Translations stand in `<code>.po`, for translators to edit;
`python -m touchline.playbook.language.compile` makes the `.mo` files that are read.

    >>> from touchline.playbook.language import Language
    >>> english = Language.of("en")
    >>> english.count("{n} day ago", "{n} days ago", 1200)
    '1,200 days ago'
"""

from touchline.playbook.language.language import CODES, Language

__all__ = ["CODES", "Language"]
