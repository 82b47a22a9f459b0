"""Card: all that sales reads of one lead, in its language, as text, Markdown, HTML or JSON.

In: explained leads, the touches behind them, and insight. Out: a `LeadCard`, which shows itself in a notebook.
"""

from touchline.serve.card.card import ChangeLines, Insight, LeadCard, Line, ReasonLine, ShareLine, TouchLine

__all__ = ["ChangeLines", "Insight", "LeadCard", "Line", "ReasonLine", "ShareLine", "TouchLine"]
