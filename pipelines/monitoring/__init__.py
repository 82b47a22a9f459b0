"""Monitoring: what `touchline monitor` looks at, and how it is told.

In: batches of the score store, canonical tables, the model that scored. Out: what came of the scores, drift, touches by
kind, the figures of both teams, and findings with a recommendation; as plain data, text or a page. No lead is named.
"""
