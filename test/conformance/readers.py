"""Reads a dataset's folder with the readers that are installed.

Arguments: the folder, its rows, the rows of its form "chat" (0: it has none), and the columns with commas between them. A column "cover"
has lists of paths of images.
"""
import importlib.util
import os
import sys

folder, rows, form = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
files = os.path.join(folder, "parquet-files")
columns = sys.argv[4].split(",")


def check(name, found, names, covers=None):
    if found != rows or list(names) != columns:
        sys.exit(f"{name} reads {found} rows of {list(names)}, want {rows} of {columns}")
    if "cover" not in columns or covers is None:
        return
    for cover in covers:
        paths = [str(path) for path in cover]
        if len(paths) != 1 or open(os.path.join(folder, paths[0]), "rb").read(4) != b"\x89PNG":
            sys.exit(f"{name} reads {paths} as the images of a row, which are none")


def covers_of(table):
    return table["cover"] if "cover" in columns else None


def with_datasets():
    import datasets
    table = datasets.load_dataset(folder)["train"]
    check("datasets", table.num_rows, table.column_names, covers_of(table))
    if form:
        left = datasets.load_dataset(folder, "left")["train"]
        if not 0 < left.num_rows <= rows or str(left.features["row"].dtype) != "int64":
            sys.exit(f"datasets reads the form of what is left as {left}")
        chat = datasets.load_dataset(folder, "chat")["train"]
        if chat.num_rows != form or chat.column_names != ["message"]:
            sys.exit(f"datasets reads the form as {chat}")


def with_pandas(engine):
    import pandas
    table = pandas.read_parquet(files, engine=engine)
    # fastparquet takes lists apart, those of other writers too: it is not asked for them.
    check("pandas with " + engine, len(table), table.columns, covers_of(table) if engine == "pyarrow" else None)


def with_pyarrow():
    import pyarrow.parquet as pq
    table = pq.read_table(files)
    check("pyarrow", table.num_rows, table.column_names, table["cover"].to_pylist() if "cover" in columns else None)
    about = pq.ParquetFile(os.path.join(files, "batch_00000.parquet"))
    if about.metadata.created_by != "seedloom v0.0.0-test" or b"seedloom.columns" not in about.metadata.metadata:
        sys.exit(f"the file says {about.metadata.created_by} and {about.metadata.metadata}")


def with_polars():
    import polars
    table = polars.read_parquet(files)
    check("polars", table.height, table.columns, table["cover"].to_list() if "cover" in columns else None)


def with_duckdb():
    import duckdb
    where = "parquet-files/*" if form else "**/*"
    table = duckdb.sql(f"SELECT * FROM '{folder}/{where}.parquet'")
    found = table.fetchall()
    check("duckdb", len(found), table.columns, [row[columns.index("cover")] for row in found] if "cover" in columns else None)


tried = {
    "datasets": with_datasets,
    "pandas": lambda: with_pandas("pyarrow"),
    "fastparquet": lambda: with_pandas("fastparquet"),
    "pyarrow": with_pyarrow,
    "polars": with_polars,
    "duckdb": with_duckdb,
}
for package, read in tried.items():
    if importlib.util.find_spec(package) is None:
        print(package, "is not installed: skipped")
        continue
    read()
    print(package, "reads it")
