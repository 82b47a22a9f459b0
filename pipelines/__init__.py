"""Pipelines: the jobs that wire the rooms together, and the command line."""
