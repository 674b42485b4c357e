"""Reads Parquet files with the readers that are installed, whole and with filters, and compares with the truth beside each.

Argument: the folder of the files. What is found to differ ends the script with an error.
"""
import decimal
import glob
import importlib.util
import json
import math
import os
import struct
import sys

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

decimal.getcontext().prec = 100
installed = {name: importlib.util.find_spec(name) is not None for name in ("duckdb", "polars")}
problems, counts = [], {}


def plain(array):
    """The values of an array in the form of the truth."""
    kind = array.type
    if isinstance(array, pa.ChunkedArray):
        return [value for chunk in array.chunks for value in plain(chunk)]
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        values, offsets, there = plain(array.values), array.offsets.to_pylist(), array.is_valid().to_pylist()
        return [values[offsets[i]:offsets[i + 1]] if is_there else None for i, is_there in enumerate(there)]
    if pa.types.is_struct(kind):
        fields = [plain(array.field(i)) for i in range(kind.num_fields)]
        return [[field[i] for field in fields] if is_there else None for i, is_there in enumerate(array.is_valid().to_pylist())]
    if pa.types.is_floating(kind):
        return array.view(pa.int64()).to_pylist()
    if pa.types.is_timestamp(kind) or pa.types.is_time64(kind):
        return array.view(pa.int64()).to_pylist()
    if pa.types.is_date32(kind):
        return array.view(pa.int32()).to_pylist()
    if pa.types.is_decimal(kind):
        return [None if v is None else str(int(v.scaleb(kind.scale))) for v in array.to_pylist()]
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind):
        return [None if v is None else v.hex() for v in array.to_pylist()]
    return array.to_pylist()


def ordered(kind, value):
    """A value of the truth as what compares like it."""
    if pa.types.is_floating(kind):
        return struct.unpack("<d", struct.pack("<q", value))[0]
    if pa.types.is_decimal(kind):
        return int(value)
    if pa.types.is_binary(kind):
        return bytes.fromhex(value)
    if pa.types.is_string(kind):
        return value.encode()
    return value


def greatest_nan(value):
    return (1, 0.0) if isinstance(value, float) and math.isnan(value) else (0, value)


def compare(what, got, want):
    counts[what.split(":")[0]] = counts.get(what.split(":")[0], 0) + 1
    if got is None or got == want:
        return
    if not isinstance(got, list) or len(got) != len(want):
        problems.append(f"{what}: {len(got)} for {len(want)}: {got!r:.100} is not {want!r:.100}")
        return
    at = next(i for i in range(len(want)) if got[i] != want[i])
    problems.append(f"{what}: at {at}: {got[at]!r:.100} is not {want[at]!r:.100}")


def attempt(what, read):
    try:
        return read()
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        problems.append(f"{what}: {type(error).__name__} {error!s:.300}")


def is_scalar(kind):
    return not pa.types.is_nested(kind)


class Pyarrow:
    nan_is_greatest = False

    def __init__(self, path):
        self.path = path

    def whole(self):
        return pq.read_table(self.path, page_checksum_verification=True)

    def ids(self, column, operation, value):
        field = pc.field(column)
        return pq.read_table(self.path, columns=["id"], filters={
            "=": lambda: field == value, "<": lambda: field < value, ">": lambda: field > value, "null": field.is_null,
            "there": field.is_valid}[operation]()).column("id").to_pylist()

    def misses(self, kind):
        return False

    cannot_compare = misses


class Duckdb:
    nan_is_greatest = True

    def __init__(self, path):
        import duckdb
        self.connection = duckdb.connect()
        self.connection.execute("SET TimeZone = 'UTC'")
        self.file = "'" + path.replace("'", "''") + "'"

    def arrow(self, query):
        return self.connection.sql(query).to_arrow_table()

    def whole(self):
        return self.arrow(f"SELECT * FROM {self.file}")

    def literal(self, value):
        kind = value.type
        if pa.types.is_binary(kind):
            return "'" + "".join(f"\\x{byte:02x}" for byte in value.as_py()) + "'::BLOB"
        if pa.types.is_string(kind) and "\0" not in value.as_py():
            return "'" + value.as_py().replace("'", "''") + "'"
        if pa.types.is_string(kind):
            return "decode('" + "".join(f"\\x{byte:02x}" for byte in value.as_py().encode()) + "'::BLOB)"
        if pa.types.is_floating(kind):
            return f"'{value.as_py()!r}'::DOUBLE"
        if pa.types.is_decimal(kind):
            return f"'{value.as_py():f}'::DECIMAL({kind.precision},{kind.scale})"
        if pa.types.is_timestamp(kind):
            made = "make_timestamp_ns" if kind.unit == "ns" else "make_timestamp"
            made = f"{made}({value.value}::BIGINT)"
            return f"timezone('UTC', {made})" if kind.tz else made
        if pa.types.is_date32(kind):
            return f"('1970-01-01'::DATE + {value.value})"
        if pa.types.is_time64(kind):
            return f"'{value.as_py()}'::TIME"
        return str(value.as_py())

    def ids(self, column, operation, value):
        where = {"null": "IS NULL", "there": "IS NOT NULL"}.get(operation) or f"{operation} {self.literal(value)}"
        return [row[0] for row in self.connection.execute(f'SELECT id FROM {self.file} WHERE "{column}" {where}').fetchall()]

    def misses(self, kind):
        """What it has no type for, or one of less precision."""
        if pa.types.is_decimal(kind):
            return kind.precision > 38
        return is_moment(kind) and kind.unit == "ns"

    cannot_compare = misses


class Polars:
    nan_is_greatest = True

    def __init__(self, path):
        self.path = path

    def whole(self):
        import polars
        schema = pq.read_schema(self.path)
        names = [field.name for field in schema if not has(field.type, self.misses)]
        return polars.read_parquet(self.path, columns=names).to_arrow()

    def ids(self, column, operation, value):
        import polars
        field = polars.col(column)
        if value is not None:
            value = polars.lit(polars.Series(polars.from_arrow(pa.array([value], value.type))).first(), dtype=polars.scan_parquet(self.path).collect_schema()[column])
        return polars.scan_parquet(self.path).filter({
            "=": lambda: field == value, "<": lambda: field < value, ">": lambda: field > value, "null": field.is_null,
            "there": field.is_not_null}[operation]()).select("id").collect()["id"].to_list()

    def misses(self, kind):
        return pa.types.is_decimal(kind) and kind.precision > 38 or pa.types.is_time64(kind) and kind.unit == "us"

    def cannot_compare(self, kind):
        """What Python has no value of."""
        return self.misses(kind) or is_moment(kind) and kind.unit == "ns"


def is_moment(kind):
    return pa.types.is_timestamp(kind) or pa.types.is_time64(kind)


def has(kind, test):
    if pa.types.is_nested(kind):
        return any(has(kind.field(i).type, test) for i in range(kind.num_fields))
    return test(kind)


def prepared(kind, truth):
    """Which rows are null, how the others compare, and rows of all different values in their order, without NaN."""
    nulls = [i for i, value in enumerate(truth) if value is None]
    keys = {i: ordered(kind, value) for i, value in enumerate(truth) if value is not None}
    first = {}
    for i, key in keys.items():
        if key == key:
            first.setdefault(key, i)
    return nulls, keys, [first[key] for key in sorted(first)]


def filters(reader, what, column, array, known):
    nulls, keys, distinct = known
    compare(f"{what} null", attempt(f"{what} null", lambda: reader.ids(column, "null", None)), nulls)
    nan = greatest_nan if reader.nan_is_greatest and pa.types.is_floating(array.type) else None
    if not distinct:
        return
    least, greatest = distinct[0], distinct[-1]
    below, above = distinct[max(0, len(distinct) - 2)], distinct[min(1, len(distinct) - 1)]
    for number, operation, holds in (
            (least, "=", lambda v: v == limit), (above, "<", lambda v: v < limit), (below, ">", lambda v: v > limit),
            (greatest, ">", lambda v: v > limit)):
        if operation == ">" and number == greatest != below and not pa.types.is_floating(array.type):
            continue
        limit = nan(keys[number]) if nan else keys[number]
        want = [i for i, key in keys.items() if holds(nan(key))] if nan else [i for i, key in keys.items() if holds(key)]
        got = attempt(f"{what} {operation}", lambda: reader.ids(column, operation, array[number]))
        compare(f"{what} {operation} {keys[number]!r:.40}", got if got is None else sorted(got), want)


def check(path):
    truth = json.load(open(path[:-len("parquet")] + "json"))
    base = os.path.basename(path)[:-len(".parquet")]
    whole = attempt(f"pyarrow: {base}", Pyarrow(path).whole)
    if whole is None:
        return
    known = {field.name: prepared(field.type, truth[field.name]) for field in whole.schema if is_scalar(field.type)}
    readers = {"pyarrow": Pyarrow(path)}
    if installed["duckdb"]:
        readers["duckdb"] = Duckdb(path)
    if installed["polars"]:
        readers["polars"] = Polars(path)
    for name, reader in readers.items():
        read = attempt(f"{name}: {base}", reader.whole)
        if read is None:
            continue
        for column in whole.column_names:
            kind = whole.schema.field(column).type
            if has(kind, reader.misses):
                continue
            what = f"{name}: {base}: {column} {kind}"
            got = attempt(what, lambda: plain(read.column(column).combine_chunks()))
            if got is not None:
                compare(what, got, truth[column])
            if is_scalar(kind) and not reader.cannot_compare(kind) and column != "id" and len(truth["id"]):
                filters(reader, what, column, whole.column(column), known[column])


for path in sorted(glob.glob(os.path.join(sys.argv[1], "*.parquet"))):
    check(path)
print(counts)
if problems:
    sys.exit("\n".join(problems[:60]) + f"\n{len(problems)} problems")
