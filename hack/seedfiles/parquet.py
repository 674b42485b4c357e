"""Writes small Parquet files of every kind with what they hold, as the Go test of engine/parquetfile reads them.

    python hack/seedfiles/parquet.py engine/parquetfile/testdata/pyarrow.zip

It needs pyarrow, pandas, polars, duckdb and fastparquet; each file NAME.parquet in the archive stands beside NAME.json, its rows as pyarrow
reads them (for files that were made by hand, as they were made). Values are written so that nothing of them is lost: see `exact`.
"""
import base64, datetime, decimal, io, itertools, json, random, struct, sys, tempfile, zipfile, os

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

EPOCH = datetime.date(1970, 1, 1)


def exact(value, kind):
    """The value as JSON that names what JSON can't tell apart."""
    if value is None or pa.types.is_null(kind):
        return None
    t = pa.types
    if isinstance(value, pa.Scalar):
        if not value.is_valid:
            return None
        if t.is_dictionary(kind):
            return exact(value.dictionary[value.index.as_py()], kind.value_type)
        if t.is_map(kind):
            return [{"struct": [exact(e["key"], kind.key_type), exact(e["value"], kind.item_type)]} for e in value.values]
        if t.is_list(kind) or t.is_large_list(kind) or t.is_fixed_size_list(kind):
            return [exact(e, kind.value_type) for e in value.values]
        if t.is_struct(kind):
            return {"struct": [exact(value[i], kind.field(i).type) for i in range(kind.num_fields)]}
        if t.is_timestamp(kind):
            per = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}[kind.unit]
            return {"timestamp": str(value.value * per), "zone": kind.tz is not None}
        if t.is_time(kind):
            per = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}[kind.unit]
            return {"time": str(value.value * per)}
        if t.is_date(kind):
            days = value.value if t.is_date32(kind) else value.value // 86400000
            return {"date": days}
        if t.is_duration(kind):
            return value.value
        if isinstance(kind, pa.UuidType):
            return str(value.as_py())
        if isinstance(kind, pa.BaseExtensionType):
            return exact(value.value, kind.storage_type)
        value = value.as_py()
    if t.is_decimal(kind):
        return {"decimal": format(value, "f")}
    if t.is_floating(kind):
        return {"float": "nan" if value != value else struct.pack(">d", value).hex()}
    if t.is_binary(kind) or t.is_large_binary(kind) or t.is_fixed_size_binary(kind) or t.is_binary_view(kind):
        return {"bytes": base64.b64encode(value).decode()}
    return value


class Archive:
    def __init__(self, path):
        self.zip = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9)
        self.count = 0

    def entry(self, name, data):
        info = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
        info.compress_type = zipfile.ZIP_DEFLATED
        self.zip.writestr(info, data)

    def add(self, name, data, table=None):
        """Adds a file; the truth is that of the table, or else what pyarrow reads."""
        if table is None:
            table = pq.ParquetFile(io.BytesIO(data)).read()
        names = table.schema.names
        rows = [[exact(table.column(i)[r], table.schema.field(i).type) for i in range(len(names))] for r in range(table.num_rows)]
        self.count += 1
        self.entry(f"{self.count:03d}-{name}.parquet", data)
        self.entry(f"{self.count:03d}-{name}.json", json.dumps({"columns": names, "rows": rows}, ensure_ascii=False))

    def write(self, name, table, **options):
        buffer = io.BytesIO()
        pq.write_table(table, buffer, **options)
        try:
            self.add(name, buffer.getvalue())
        except pa.ArrowException as problem:  # pyarrow does not read all that it writes
            print(f"pyarrow does not read {name}: {problem}")
            self.add(name, buffer.getvalue(), table)


def scalars(rng, rows):
    """A column of every type that has a physical form of its own, with nulls or without."""
    def day(): return EPOCH + datetime.timedelta(days=rng.randint(-200000, 200000))
    def digits(p, s): return decimal.Decimal(rng.randint(-10**p + 1, 10**p - 1)).scaleb(-s, decimal.Context(prec=80))
    def text(): return "".join(rng.choice(["a", "ß", "語", "😀", " ", "\n", "\0", "\"", "x" * 5]) for _ in range(rng.randint(0, 6)))
    def stamp(): return rng.randint(-2**52, 2**52)
    return [
        ("bool", pa.bool_(), lambda: rng.random() < 0.7),
        ("run", pa.bool_(), lambda: rng.random() < 0.97),
        *[(f"int{b}", getattr(pa, f"int{b}")(), lambda b=b: rng.randint(-2**(b - 1), 2**(b - 1) - 1)) for b in (8, 16, 32, 64)],
        *[(f"uint{b}", getattr(pa, f"uint{b}")(), lambda b=b: rng.randint(0, 2**b - 1)) for b in (8, 16, 32, 64)],
        ("near", pa.int64(), lambda: 10**15 + rng.randint(0, 90)),
        ("float16", pa.float16(), lambda: np.float16(rng.uniform(-100, 100))),
        ("float", pa.float32(), lambda: rng.choice([rng.uniform(-1e9, 1e9), float("inf"), float("nan"), 0.1, -0.0])),
        ("double", pa.float64(), lambda: rng.choice([rng.uniform(-1e300, 1e300), float("-inf"), float("nan"), 0.1, -0.0, 5e-324])),
        ("string", pa.string(), text),
        ("large_string", pa.large_string(), text),
        ("few", pa.string(), lambda: rng.choice(["red", "green", "", "a longer text that comes again"])),
        ("prefix", pa.string(), lambda: "https://example.com/a/b/c/" + str(rng.randint(0, 999))),
        ("binary", pa.binary(), lambda: rng.randbytes(rng.randint(0, 9))),
        ("fixed", pa.binary(7), lambda: rng.randbytes(7)),
        ("dictionary", pa.dictionary(pa.int32(), pa.string()), lambda: rng.choice(["x", "y", "z"])),
        ("date32", pa.date32(), day),
        ("date64", pa.date64(), day),
        ("time32s", pa.time32("s"), lambda: rng.randint(0, 86399)),
        ("time32ms", pa.time32("ms"), lambda: rng.randint(0, 86399999)),
        ("time64us", pa.time64("us"), lambda: rng.randint(0, 86399999999)),
        ("time64ns", pa.time64("ns"), lambda: rng.randint(0, 86399999999999)),
        *[(f"ts_{u}{'_' + z[:3] if z else ''}".lower(), pa.timestamp(u, z), lambda u=u: rng.randint(-2**31, 2**31) if u == "s" else stamp())
          for u in ("s", "ms", "us", "ns") for z in (None, "UTC", "Europe/Berlin")],
        *[(f"dec_{p}_{s}", pa.decimal128(p, s), lambda p=p, s=s: digits(p, s)) for p, s in ((1, 0), (4, 2), (9, 9), (10, 2), (18, 4), (19, 0), (38, 0), (38, 20), (38, 38))],
        *[(f"dec_{p}_{s}", pa.decimal256(p, s), lambda p=p, s=s: digits(p, s)) for p, s in ((39, 3), (76, 10))],
        ("null", pa.null(), lambda: None),
    ]


def make(rng, kind, draw, rows, nulls):
    if pa.types.is_null(kind):
        return pa.nulls(rows)
    values = [None if rng.random() < nulls else draw() for _ in range(rows)]
    if pa.types.is_dictionary(kind):
        return pa.array(values, pa.string()).dictionary_encode()
    if pa.types.is_timestamp(kind) or pa.types.is_time(kind):
        width = pa.int32() if kind.bit_width == 32 else pa.int64()
        return pa.array(values, width).cast(kind) if pa.types.is_timestamp(kind) else pa.array(values, width).view(kind)
    return pa.array(values, kind)


CODECS = ["NONE", "SNAPPY", "GZIP", "BROTLI", "ZSTD", "LZ4"]


def of_every_type(archive, rng):
    """Each type alone: plain and dictionary, both page versions, with and without nulls, every codec in turn."""
    codecs = itertools.cycle(CODECS)
    for name, kind, draw in scalars(rng, 0):
        for version, dictionary, nulls in (("1.0", False, 0), ("1.0", True, 0.3), ("2.0", False, 0.3), ("2.0", True, 0)):
            codec = next(codecs)
            table = pa.table({name: make(rng, kind, draw, rng.randint(9, 70), nulls)})
            archive.write(f"{name}-v{version[0]}-{codec.lower()}-{'dict' if dictionary else 'plain'}", table, compression=codec,
                          data_page_version=version, use_dictionary=dictionary, store_schema=rng.random() < 0.5, write_statistics=rng.random() < 0.5)


def of_every_encoding(archive, rng):
    columns = {
        "DELTA_BINARY_PACKED": ["int32", "int64", "near", "uint32", "ts_us", "time64us"], "DELTA_LENGTH_BYTE_ARRAY": ["string", "binary"],
        "DELTA_BYTE_ARRAY": ["string", "prefix", "fixed", "dec_38_20", "binary"], "BYTE_STREAM_SPLIT": ["float", "double", "int32", "int64", "fixed", "dec_19_0", "float16"],
        "RLE": ["bool", "run"], "PLAIN": ["string", "double", "dec_4_2"],
    }
    kinds = {name: (kind, draw) for name, kind, draw in scalars(rng, 0)}
    codecs = itertools.cycle(CODECS)
    for encoding, names in columns.items():
        for name in names:
            for rows, nulls, version in ((200, 0, "2.0"), (131, 0.4, "1.0")):
                kind, draw = kinds[name]
                table = pa.table({name: make(rng, kind, draw, rows, nulls)})
                archive.write(f"{encoding.lower()}-{name}-v{version[0]}", table, column_encoding={name: encoding}, use_dictionary=False,
                              compression=next(codecs), data_page_version=version, data_page_size=rng.choice([64, 1 << 20]), write_batch_size=32)


def nested_types():
    i, s = pa.int64(), pa.string()
    yield from {
        "list": pa.list_(i), "list_of_strings": pa.list_(s), "large_list": pa.large_list(s), "fixed_list": pa.list_(pa.float32(), 3), "list_of_lists": pa.list_(pa.list_(i)),
        "struct": pa.struct([("a", i), ("b", s)]), "struct_of_struct": pa.struct([("x", pa.struct([("y", s), ("z", i)])), ("w", i)]),
        "list_of_structs": pa.list_(pa.struct([("k", s), ("v", pa.list_(i))])), "map": pa.map_(s, i), "map_of_lists": pa.map_(s, pa.list_(s)),
        "struct_of_lists": pa.struct([("l", pa.list_(s)), ("m", pa.map_(i, s)), ("n", i)]), "deep": pa.list_(pa.struct([("l", pa.list_(pa.struct([("t", pa.list_(s))])))])),
        "list_of_decimals": pa.list_(pa.decimal128(20, 4)), "list_of_dates": pa.list_(pa.date32()), "list_of_nulls": pa.list_(pa.null()),
        "struct_with_null": pa.struct([("n", pa.null()), ("s", s)]), "list_of_bytes": pa.list_(pa.binary()), "image": pa.struct([("bytes", pa.binary()), ("path", s)]),
        "map_of_maps": pa.map_(s, pa.map_(s, i)), "list_of_maps": pa.list_(pa.map_(i, s)), "list_of_times": pa.list_(pa.timestamp("us", "UTC")), "one_member": pa.struct([("only", i)]),
        "required_item": pa.list_(pa.field("item", i, nullable=False)), "required_member": pa.struct([pa.field("a", i, nullable=False), pa.field("b", s)]),
    }.items()


def value_of(rng, kind, nulls):
    if rng.random() < nulls:
        return None
    t = pa.types
    if t.is_null(kind):
        return None
    if t.is_map(kind):
        size = rng.randint(0, 3)
        keys = rng.sample(range(9), size)
        return [(str(k) if t.is_string(kind.key_type) else k, value_of(rng, kind.item_type, nulls)) for k in keys]
    if t.is_fixed_size_list(kind):
        return [value_of(rng, kind.value_type, nulls) for _ in range(kind.list_size)]
    if t.is_list(kind) or t.is_large_list(kind):
        return [value_of(rng, kind.value_type, nulls if kind.value_field.nullable else 0) for _ in range(rng.choice([0, 0, 1, 2, 3]))]
    if t.is_struct(kind):
        return {kind.field(i).name: value_of(rng, kind.field(i).type, nulls if kind.field(i).nullable else 0) for i in range(kind.num_fields)}
    if t.is_decimal(kind):
        return decimal.Decimal(rng.randint(-10**15, 10**15)).scaleb(-kind.scale)
    if t.is_date(kind):
        return EPOCH + datetime.timedelta(days=rng.randint(0, 30000))
    if t.is_timestamp(kind):
        return datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc) + datetime.timedelta(microseconds=rng.randint(0, 10**12))
    if t.is_floating(kind):
        return rng.choice([0.5, -1.25, 3.0])
    if t.is_binary(kind):
        return rng.randbytes(3)
    return rng.randint(-99, 99) if t.is_integer(kind) else rng.choice(["", "a", "ßx", "longer text"])


def nested(archive, rng):
    codecs = itertools.cycle(CODECS)
    for name, kind in nested_types():
        for nulls, version, compliant in ((0, "1.0", True), (0.25, "1.0", False), (0.25, "2.0", True), (0.6, "2.0", False)):
            rows = rng.randint(5, 60)
            table = pa.table({"before": pa.array(range(rows)), name: pa.array([value_of(rng, kind, nulls) for _ in range(rows)], kind)})
            archive.write(f"{name}-v{version[0]}-{int(nulls * 100)}", table, compression=next(codecs), data_page_version=version,
                          use_compliant_nested_type=compliant, use_dictionary=rng.random() < 0.5, data_page_size=rng.choice([32, 1 << 20]),
                          write_batch_size=rng.choice([3, 1024]), row_group_size=rng.choice([7, 1000]))


def mixed(archive, rng):
    """Several columns with options drawn at random."""
    for number in range(70):
        rows = rng.choice([1, 2, 17, 64, 65, 300])
        picked = rng.sample(scalars(rng, rows), 5)
        columns = {name: make(rng, kind, draw, rows, rng.choice([0, 0.1, 0.9, 1])) for name, kind, draw in picked}
        for name, kind in rng.sample(list(nested_types()), 1):
            columns[name] = pa.array([value_of(rng, kind, 0.2) for _ in range(rows)], kind)
        archive.write(f"mixed-{number}", pa.table(columns), compression=rng.choice(CODECS), data_page_version=rng.choice(["1.0", "2.0"]),
                      use_dictionary=rng.random() < 0.6, row_group_size=rng.choice([1, 5, 50, 1000]), data_page_size=rng.choice([1, 100, 5000]),
                      write_batch_size=rng.choice([1, 10, 1024]), write_statistics=rng.random() < 0.5, write_page_index=rng.random() < 0.5,
                      write_page_checksum=rng.random() < 0.5, version="2.6" if any("ns" in name for name in columns) else rng.choice(["1.0", "2.4", "2.6"]), dictionary_pagesize_limit=rng.choice([20, 1 << 20]),
                      store_decimal_as_integer=rng.random() < 0.5, store_schema=rng.random() < 0.5)


def shapes(archive, rng):
    """Row groups, pages and files that are unusual."""
    schema = pa.schema([("id", pa.int64()), ("t", pa.string()), ("l", pa.list_(pa.int32()))])
    def part(start, count):
        return pa.table({"id": list(range(start, start + count)), "t": [f"row {i}" for i in range(start, start + count)], "l": [[i] * (i % 3) for i in range(start, start + count)]}, schema)
    for name, parts in {"first-empty": (0, 4), "middle-empty": (3, 0, 4), "last-empty": (4, 0), "several-empty": (0, 0, 2, 0, 0, 1, 0), "many": (1,) * 40, "no-rows": (0,), "no-groups": ()}.items():
        for version in ("1.0", "2.0"):
            buffer = io.BytesIO()
            with pq.ParquetWriter(buffer, schema, data_page_version=version) as writer:
                start = 0
                for count in parts:
                    writer.write_table(part(start, count))
                    start += count
            archive.add(f"groups-{name}-v{version[0]}", buffer.getvalue())
    for codec in CODECS:
        archive.write(f"large-page-{codec.lower()}", pa.table({"t": ["y" * 1000] * 2500 + [None], "n": [7] * 2501}), use_dictionary=False, data_page_size=1 << 30, compression=codec)
    archive.write("long-text", pa.table({"t": ["z" * 300_000, "", None]}), compression="ZSTD")
    archive.write("equal-dictionary", pa.table({"t": ["k" * 1000] * 5000}), compression="ZSTD", row_group_size=2500)
    archive.write("wide", pa.table({f"c{i}": [i, None] for i in range(300)}))
    archive.write("names", pa.table([[1], [2], [3], [4]], names=["größe", "a b", "", "x.y"]))
    archive.write("upper-and-lower", pa.table([[1], [2]], names=["id", "ID"]))
    archive.write("spark", pa.table({"a b": [1, 2], "ts": pa.array([0, 10**15], pa.timestamp("us"))}), flavor="spark")
    for unit in ("ns", "us", "ms"):
        archive.write(f"int96-{unit}", pa.table({"ts": pa.array([0, 1, -1, 1234567890123 if unit == "ms" else 1234567890123456, None], pa.timestamp(unit))}), use_deprecated_int96_timestamps=True)
    archive.write("coerced", pa.table({"ts": pa.array([1234567890123456789], pa.timestamp("ns"))}), coerce_timestamps="ms", allow_truncated_timestamps=True)


def writers(archive, rng):
    """Other writers have habits of their own."""
    import duckdb, fastparquet, polars
    frame = pd.DataFrame({"n": [1, 2, None], "t": ["a", None, "ü"], "when": pd.to_datetime(["2024-01-01T00:00:00.0", "2024-02-29T12:00:00.123456", None], format="ISO8601"), "b": [True, False, True], "c": pd.Categorical(["x", "y", "x"])})
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "x.parquet")
        def read():
            with open(path, "rb") as opened:
                return opened.read()
        for codec in ("snappy", "gzip", "zstd", "lz4", "brotli", None):
            frame.to_parquet(path, compression=codec, index=True)
            archive.add(f"pandas-{codec}", read())
            fastparquet.write(path, frame, compression=codec.upper() if codec else None, object_encoding={"t": "utf8"})
            try:
                archive.add(f"fastparquet-{codec}", read())
            except (OSError, pa.ArrowException) as problem:
                print(f"pyarrow does not read fastparquet-{codec}: {problem}")
            polars.from_pandas(frame).write_parquet(path, compression=codec or "uncompressed")
            archive.add(f"polars-{codec}", read())
        for form in ("utf8", "bytes", "json"):
            values = {"utf8": ["a", "ü"], "bytes": [b"\xff", b"b"], "json": [{"k": [1]}, {"k": []}]}[form]
            fastparquet.write(path, pd.DataFrame({"v": values}), object_encoding=form)
            archive.add(f"fastparquet-{form}", read())
        query = """select range::int as i, range * 1.1::decimal(12, 3) as d, 'text ' || (range % 5) as t, date '2024-02-28' + range::int as day, [range, null] as l,
                   {{'a': range, 'b': 'x'}} as s, map(['k'], [range]) as m, uuid() as u, time '12:34:56.789' as at, timestamp '2024-05-01 10:00:00' as ts,
                   timestamptz '2024-05-01 10:00:00+02' as tz, case when range % 3 = 0 then null else range::double end as f, range % 2 = 0 as b,
                   (range % 200)::tinyint as tiny, range::hugeint as huge, '\\x00\\xff'::blob as bin from range({})"""
        for codec in ("snappy", "zstd", "gzip", "lz4_raw", "brotli", "uncompressed"):
            for version, rows in (("v1", 40), ("v2", 90)):
                duckdb.sql(f"copy ({query.format(rows)}) to '{path}' (format parquet, compression {codec}, parquet_version {version})")
                archive.add(f"duckdb-{codec}-{version}", read())
        for statistics, version in ((True, 40), (False, 7)):
            columns = {"i": list(range(50)), "l": [[str(i)] * (i % 4) for i in range(50)], "d": [datetime.date(2024, 1, 1)] * 50, "s": [{"a": i, "b": None} for i in range(50)], "e": [None] * 50}
            polars.DataFrame(columns).write_parquet(path, statistics=statistics, row_group_size=version, data_page_size=64)
            archive.add(f"polars-nested-{statistics}", read())


def hadoop_lz4(archive, rng):
    """The older of the two forms of LZ4: blocks with their lengths before them. No writer of today makes it; so pages are compressed by hand."""
    import cramjam, fastparquet
    from fastparquet import encoding  # noqa: F401
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "x.parquet")
        for number in range(4):
            frame = pd.DataFrame({"a": [rng.randint(0, 10**12) for _ in range(200)], "x": [rng.random() for _ in range(200)]})
            previous = fastparquet.compression.compressions["LZ4"]
            def compress(data, **_):
                data = bytes(data)
                packed = bytes(cramjam.lz4.compress_block(data, store_size=False))
                return struct.pack(">II", len(data), len(packed)) + packed
            fastparquet.compression.compressions["LZ4"] = compress
            fastparquet.write(path, frame, compression="LZ4", stats=number % 2 == 0)
            fastparquet.compression.compressions["LZ4"] = previous
            with open(path, "rb") as opened:
                archive.add(f"hadoop-lz4-{number}", opened.read(), pa.Table.from_pandas(frame))


def main():
    rng = random.Random(20260101)
    archive = Archive(sys.argv[1])
    for part in (of_every_type, of_every_encoding, nested, mixed, shapes, writers, hadoop_lz4):
        part(archive, rng)
    archive.zip.close()
    print(f"{archive.count} files, {os.path.getsize(sys.argv[1])} bytes")


main()
