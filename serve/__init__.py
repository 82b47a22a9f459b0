"""Serve: what sales sees, from a published batch of scores.

In: scores and reasons of `touchline.models`. Out: a score store, pages and an API over it.
Nothing is exported yet.
"""
