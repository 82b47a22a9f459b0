# %% [markdown]
# # Look at the data, and at its traps
#
# A company that does not exist, with the dirt of a real export. Run the cells from top to bottom; it takes seconds.

# %%
import tempfile
from pathlib import Path

from touchline.features import Tables, check_tables
from touchline.features.sources.simulated import Traps, simulate
from touchline.playbook import starter_playbook

folder = Path(tempfile.mkdtemp(prefix="touchline-notebook-"))
company = simulate(folder / "data", leads=2_000, seed=1, traps=Traps(duplicates=True, merges=True))
print(company)

# %% [markdown]
# ## The check accounts for every row

# %%
result = check_tables(starter_playbook(), company.path, out=folder / "tables")
for source in result.sources:
    print(f"{source.path:18} read {source.read:8,}  quarantined {source.quarantined:6,}  adds up: {source.adds_up}")
for reason in result.reasons:
    print(f"{reason.rows:6,} {reason.table} {reason.code}: {reason.message}")

# %% [markdown]
# ## Machines open more mails than people do
#
# Mail scanners open and click within seconds of the send. Counted as interest, they would be the best leads of all.

# %%
tables = Tables.open(folder / "tables")
touches = tables.frame("touches")
print(touches.groupby("kind")["machine"].agg(["size", "mean"]).round(3).sort_values("mean", ascending=False))

# %% [markdown]
# ## Some facts are known late
#
# A score of the day may use what had happened *and* was known. Webinars and events reach the log up to three weeks
# late. (Facts that a merge brought to another lead are known there from the merge on, and left out here.)

# %%
own = touches[touches["merged_from"].isna()]
days_late = (own["known_at"] - own["occurred_at"]).dt.days
print(days_late.groupby(own["kind"]).describe()[["count", "mean", "max"]].round(2))

# %% [markdown]
# ## One field betrays the outcome
#
# Sales fills in a phone number once a deal is won. The playbook says `known = "never"`, so it is not even read:

# %%
print("columns of leads:", ", ".join(tables.frame("leads").columns))
print("not used:", ", ".join(result.sources[0].columns_not_used))
