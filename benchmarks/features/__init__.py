"""The feature engine beside its peers: the same features of the same touches, computed by each in a process of its own.

    python -m benchmarks.features                              # 10 million touches, all peers
    python -m benchmarks.features --touches 1000000 --only duckdb-tiles,polars
    python -m benchmarks.features --growth                     # 61 features against 122
    python -m benchmarks.features --executors                  # Touchline on Spark, on 1 to 4 executors
    python -m benchmarks.features --touches 100000000 --only touchline --shapes monthly

In: nothing but options; touches are generated. Out: a table with ratios. Every peer's numbers are held against ours in
the same run, and a number that differs fails it.

Everybody works from file to file: reads the same Parquet files of touches and of rows (lead, as_of), and writes a
Parquet file of features. Imports are not timed. A peer is a file in `peers/`, an entry in `lineup.py`, and the packages
it needs in a file of requirements; they are installed in an environment of their own, never in Touchline's. Spark alone
runs beside Touchline, which can run on it; it needs Java.
"""
