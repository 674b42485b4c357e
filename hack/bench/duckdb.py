"""Reads the first rows of a file, or all of them, with DuckDB, and prints the seconds and the peak of memory in MiB that it took.

usage: duckdb.py FILE ROWS
"""

import json
import sys
import time

import duckdb

path, rows = sys.argv[1], int(sys.argv[2])
connection = duckdb.connect()
connection.execute("SET enable_progress_bar = false")
begun = time.perf_counter()
connection.execute(f"CREATE TEMP TABLE wanted AS SELECT * FROM '{path}' LIMIT {rows}")
seconds = time.perf_counter() - begun
with open("/proc/self/status") as status:
    peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
print(json.dumps({"Seconds": seconds, "Memory": peak / 1024}))
