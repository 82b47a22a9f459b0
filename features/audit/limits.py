"""Limits: from which figure on a check speaks up, each with where it comes from."""

from __future__ import annotations

AUC_WARN = 0.80
"""One feature alone. SCIENCE-MEASURED 3: warn from 0.80, block from 0.90; the best honest feature there had 0.75."""
AUC_BLOCK = 0.90
AUC_LOOK = 0.70
"""From here on the standard error over accounts is worked out."""
CERTAIN = 2.0
"""Standard errors (over accounts) by which a figure must pass its limit. An honest feature of the simulated company has
0.77; with 70 won accounts the figure varies by 0.025 and would pass 0.80 in one company of six by chance."""
SLACK_OF_ATTRIBUTES = 0.05
"""Attributes are believed on the playbook's word alone, touches are proved by `future_poison`: for an attribute the
figure itself must pass the limit, and its lower bound only the limit less this."""
CORRELATION = 0.95
"""|r| with the label, or of the missing-indicator with it; TransmogrifAI's SanityChecker (PEERS)."""
CRAMERS_V = 0.95
"""TransmogrifAI's SanityChecker (PEERS)."""
FILL_RATIO = 5.0
"""Fill rate of won rows over that of others, or the other way round (SCIENCE-MEASURED 3)."""
TELLING_WARN = 0.50
"""Share of won rows, or accounts, of one value, and surely so; TransmogrifAI calls it rule confidence (PEERS)."""
TELLING_BLOCK = 0.80
TELLING_ODDS = 10.0
"""Odds of being won with that value over those with any. Where a third of all is won anyway, as in the real log of
`examples/bpi2012`, the last touch honestly gives 71 %."""
GOLDEN = 0.02
"""AUC of one feature above that of all others together (SCIENCE, Leaks)."""
GOLDEN_CERTAIN = 2.5
"""Standard errors that the difference must be above 0; more than elsewhere, for the best of many was picked. Of 66
candidates in 22 clean companies the largest difference was 1.9 of them."""
GOLDEN_CANDIDATES = 3
TWINS = 0.95
"""|rank correlation| from which two features tell the same; such ones are left out with the golden candidate."""
ENOUGH = 10
"""Accounts below which no share is judged."""
ORDER = 0.60
"""AUC of an order of rows or ids (SCIENCE-MEASURED 3)."""
ORDER_CERTAIN = 0.55
"""Its lower bound."""
IMPLIES_WARN = 0.75
"""Share of facts that a win follows within the window. In the simulated company a third of opportunities is won."""
IMPLIES_BLOCK = 0.90
TWIN_TIMES = 20.0
"""Rate within the last day before a win over the rate at other times."""
TWIN_SHARE = 0.50
"""Share of wins that have such a fact in their last day."""
LATE_DAYS = 1
LATE_SHARE = 0.10
"""Share known a day late or more from which known_at is indispensable (SCIENCE-MEASURED 3)."""
MASS_SHARE = 0.05
"""Leads of the same created_at (SCIENCE-MEASURED 3)."""
MACHINE_SECONDS = 5
"""After a send (SCIENCE-MEASURED 3)."""
MACHINE_SHARE = 0.01
CHANGED_BLOCK = 0.001
"""Leads of which a field said to be fixed has changed; fewer may be corrections of mistakes."""
HISTORY_WARN = 0.05
"""Leads whose field was changed after creation; fewer may be corrections (1 % in the simulated company)."""
BACKFILLED_WARN = 0.01
BACKFILLED_BLOCK = 0.10
ADVERSARIAL = 0.75
"""AUC of telling training from scoring rows (SCIENCE-MEASURED 3)."""
ADVERSARIAL_DAYS = 364
"""Training rows of the last year stand for training: whole seasons, and records about as long as those to score."""
DIVERGENCE = 0.90
"""Jensen-Shannon, to the base 2; TransmogrifAI's RawFeatureFilter (PEERS)."""
FILL_SHIFT = 0.90
"""Difference of fill rates; TransmogrifAI's RawFeatureFilter (PEERS)."""
LATEST = 0.20
"""The latest share of as-of dates, where a period stands in for scoring or for a test."""
MODEL_ROWS = 6_000
"""Rows that the two small models are fitted on; all won ones are among them as far as they fit."""
NAMED = 25
"""Findings of one code that are listed one by one."""
ENOUGH_ROWS = 100
"""Rows on each side below which training and scoring are not compared."""
