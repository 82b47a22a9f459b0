"""What workers do with a stream, without a cluster: however it is cut, the bits are those of the local engine."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pytest

from touchline.features import LocalEngine, build_training_set
from touchline.features.engines import stream
from touchline.features.engines.facts import facts_query
from touchline.features.engines.rows import rows_query


class Streamed(LocalEngine):
    """Every head in one stream, in batches of some size, through one worker."""

    def __init__(self, batch: int) -> None:
        super().__init__()
        self.batch = batch
        self.heads = 0

    def run(self, w, tables, prepared, *, labels, done=None) -> Iterator[tuple[int, pa.Table]]:
        names = stream.fact_columns(prepared)
        span = (0, len(prepared.group))
        border = stream.borders(prepared, 4 * w.count("SELECT count(*) FROM snapshots"))
        rows = w.con.sql(rows_query(tables, w.playbook, prepared, span)).to_arrow_reader(1_000)
        heads = stream.heads(rows, prepared, border).drop_columns("head_no")
        facts = w.con.sql(facts_query(tables, prepared, span)).to_arrow_table().rename_columns(names)
        whole = pa.concat_tables([facts, heads], promote_options="default").combine_chunks()
        whole = whole.sort_by([("lead_no", "ascending"), ("class", "ascending")])
        worker = stream.Compute(prepared, labels)
        found = [*worker.packed(iter(whole.to_batches(max_chunksize=self.batch)))]
        self.heads = len(found)
        yield 0, pa.concat_tables([stream.unpack(batch["rows"][0].as_buffer()) for batch in found])


@pytest.mark.parametrize("batch", [7, 1_000, 10_000_000])
def test_cutting_the_stream_changes_nothing(given, bits, batch, monkeypatch):
    monkeypatch.setattr(stream, "_HEAD", 500)
    monkeypatch.setattr(stream, "_FACTS", 3_000)
    engine = Streamed(batch)
    cut = build_training_set(given.tables, given.playbook, catalog=given.catalog, engine=engine)
    assert engine.heads > 50
    assert cut.arrow().schema == given.local.arrow().schema
    assert bits(cut.arrow()) == bits(given.local.arrow())
