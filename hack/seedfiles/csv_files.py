"""Writes awkward CSV files with what Python's csv module reads of them, as the Go test of engine/seed reads them.

    python hack/seedfiles/csv_files.py engine/seed/testdata/csv.zip

A truth is the list of records as csv.reader gives them, without blank lines, or null where a quote is never closed.
"""
import csv, io, json, random, sys, zipfile

FILES = {
    "plain": "a,b\n1,2\n", "noeol": "a,b\n1,2", "crlf": "a,b\r\n1,2\r\n", "cr_only": "a,b\r1,2\r3,4\r", "mixed_eol": "a,b\n1,2\r\n3,4\r5,6\n",
    "bare_cr": "a,b\n1\rx,2\n", "cr_in_quotes": 'a,b\n"x\ry",2\n', "crlf_in_quotes": 'a,b\n"x\r\ny",2\n', "newline_in_quotes": 'a,b\n"x\ny",2\n',
    "blank_lines": "a,b\n\n1,2\n\n\n3,4\n\n", "blank_one_column": "a\n\n1\n", "quoted_empty": 'a\n""\n', "quote_in_middle": 'a,b\nx"y,2\n', "two_quotes_in_middle": 'a,b\nx"y"z,2\n',
    "text_after_quote": 'a,b\n"x"y,2\n', "blank_after_quote": 'a,b\n"x" ,2\n', "blank_before_quote": 'a,b\n "x",2\n', "doubled": 'a,b\n"x""y",2\n', "only_doubled": 'a,b\n"""",2\n',
    "backslash": 'a,b\n"x\\"y",2\n', "unclosed": 'a,b\n"x,2\n3,4\n', "nul": "a,b\nx\0y,2\n", "trailing_comma": "a,b,\n1,2,\n", "ragged_short": "a,b\n1\n", "ragged_long": "a,b\n1,2,3\n",
    "spaces": "a,b\n 1 , 2 \n", "unicode_separators": "a,b\nx\u2028y,z\u0085w\n", "comment": "a,b\n#x,2\n", "emoji": "a,b\n😀,ß\n", "empty_cells": "a,b,c\n,,\n1,,3\n",
    "quoted_header": '"a ""x""","b,c"\n1,2\n', "delimiter_in_quotes": 'a,b\n"1,2","3"\n', "quote_then_cr": 'a,b\r"x"\r\n1,2\r', "form_feed": "a,b\nx\fy,\vz\n", "long": "a,b\n" + "x" * 70000 + ",2\n",
    "long_quoted": 'a,b\n"' + "line\n" * 20000 + '",2\n3,4\n', "many": "a,b\n" + "".join(f"{i},\"{i}\n\"\n" for i in range(30000)), "last_quoted": 'a,b\n1,"2"', "cr_last": "a,b\n1,2\r",
}


def random_files(rng):
    for number in range(200):
        pieces = ["a", "1", " ", '"', '"', '""', ",", ",", "\n", "\r\n", "\r", "ü"]
        yield f"random-{number}", "a,b\n" + "".join(rng.choice(pieces) for _ in range(rng.randint(3, 40)))


def main():
    with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        def entry(name, data):
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
        for name, text in [*FILES.items(), *random_files(random.Random(7))]:
            def read(text):
                return [record for record in csv.reader(io.StringIO(text, newline="")) if record]
            # Another quote at the end changes nothing only where one is still open.
            records = read(text) if read(text) != read(text + '"') else None
            entry(name + ".csv", text.encode())
            entry(name + ".json", json.dumps(records))


main()
