"""Draws the eight columns of the workloads of sampled rows with numpy, writes them as Parquet with pyarrow, and prints the seconds that it
took, the processor time, and the peak of memory in MiB. There is a file for each row group, compressed with Zstandard; nothing is synced,
and nothing is written but these files. It is one process, with the threads that pyarrow has of its own.

usage: sampled.py DIRECTORY ROWS ROWS-OF-A-GROUP
"""

import json
import os
import sys
import time

import numpy
import pyarrow
import pyarrow.parquet

directory, rows, group = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])

HEXADECIMAL = numpy.frombuffer(b"0123456789abcdef", dtype=numpy.uint8)


def identifiers(random, count):
    """The digits of random UUIDs (version 4), made of whole arrays: uuid.uuid4() alone would take longer than all the rest."""
    digits = random.integers(0, 16, (count, 32), dtype=numpy.uint8)
    digits[:, 12] = 4
    digits[:, 16] = 8 | digits[:, 16] & 3
    offsets = numpy.arange(0, 32 * (count + 1), 32, dtype=numpy.int32)
    return pyarrow.StringArray.from_buffers(count, pyarrow.py_buffer(offsets), pyarrow.py_buffer(HEXADECIMAL[digits]))


def category(random, values, count, shares=None):
    """Texts of which there are few, in the form that pyarrow has for them."""
    picked = random.choice(len(values), count, p=shares).astype(numpy.int32)
    return pyarrow.DictionaryArray.from_arrays(picked, values).cast(pyarrow.string())


def table(random, count):
    return pyarrow.table({
        "id": identifiers(random, count),
        "color": category(random, ["red", "green", "blue"], count),
        "size": category(random, ["S", "M", "L"], count, [0.25, 0.5, 0.25]),
        "price": random.uniform(1, 100, count),
        "weight": random.normal(20, 4, count),
        "count": random.uniform(0, 100, count).astype(numpy.int64),
        "height": random.normal(2, 1, count),
        "depth": random.uniform(0, 1, count),
    })


wall, processor = time.perf_counter(), time.process_time()
for number, first in enumerate(range(0, rows, group)):
    made = table(numpy.random.default_rng([7, number]), min(group, rows - first))
    pyarrow.parquet.write_table(made, os.path.join(directory, f"batch_{number:05}.parquet"), compression="zstd")
seconds, processor = time.perf_counter() - wall, time.process_time() - processor
with open("/proc/self/status") as status:
    peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
print(json.dumps({"Rows": rows, "Seconds": seconds, "Processor": processor, "Memory": peak / 1024}))
