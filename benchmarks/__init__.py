"""Benchmarks: speed and quality beside peers, one command each.

Each module is run as `python -m benchmarks.<name>`; it prints a table with ratios and the machine it ran on. Nothing in
the tests is timed.
"""
