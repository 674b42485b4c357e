"""Writes CSV files with the types and values that pandas infers, as the Go test of engine/seed reads them.

    python hack/seedfiles/pandas_files.py engine/seed/testdata/pandas.zip

A truth has the type of each column, and its values as texts; a cell without a value is null. Where types are inferred in another way by decision (codes
such as 007, numbers beside empty cells, columns without a value, dates, which pandas leaves as texts), there are no such columns.
"""
import io, json, random, sys, zipfile

import pandas

KINDS = {
    "int": lambda rng: str(rng.choice([rng.randint(-9, 9), rng.randint(-2**63, 2**63 - 1)])),
    "float": lambda rng: rng.choice([repr(rng.uniform(-9, 9)), f"{rng.uniform(0, 1e6):.2f}", f"{rng.randint(1, 9)}e{rng.randint(-9, 9)}"]),
    "mixed": lambda rng: rng.choice(["1", "2.5", "-3"]),
    "bool": lambda rng: rng.choice(["True", "False", "true", "false", "TRUE"]),
    "text": lambda rng: rng.choice(["x", "é, ü", 'say "hi"', "two\nlines", " blank ", "😀", "1 2", "v1.0", "+1-2"]),
    "some": lambda rng: rng.choice(["", "x", "y"]),
}


def main():
    rng = random.Random(7)
    with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for number in range(150):
            kinds = [rng.choice(list(KINDS)) for _ in range(rng.randint(2, 5))]
            delimiter, end = rng.choice(",;\t|"), rng.choice(["\n", "\r\n"])
            quoted = lambda text: '"' + text.replace('"', '""') + '"' if any(char in text for char in delimiter + '"\n') or rng.random() < 0.1 else text
            rows = [[KINDS[kind](rng) for kind in kinds] for _ in range(rng.randint(1, 30))]
            names = [f"c{column}" for column in range(len(kinds))]
            text = end.join(delimiter.join(map(quoted, row)) for row in [names, *rows]) + end
            table = pandas.read_csv(io.StringIO(text, newline=""), sep=delimiter, keep_default_na=False, na_values=[""])
            truth = {"types": {}, "values": {}}
            for name in table:
                column = table[name]
                truth["types"][name] = "str" if column.isna().all() or str(column.dtype) in ["object", "str"] else str(column.dtype)
                truth["values"][name] = [None if pandas.isna(value) else repr(value) if isinstance(value, float) else str(value) for value in column.tolist()]
            for ending, data in [(".csv", text), (".json", json.dumps(truth))]:
                archive.writestr(zipfile.ZipInfo(f"{number}{ending}", (2026, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)


main()
