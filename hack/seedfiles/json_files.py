"""Writes awkward JSON Lines files with what Python's json module reads of them, as the Go test of engine/seed reads them.

    python hack/seedfiles/json_files.py engine/seed/testdata/json.zip

A truth is the list of objects, with numbers as texts behind a "#", or null where the file is refused: by json, or by decision (NaN and infinities, keys
that come twice, halves of surrogate pairs, bytes that are not UTF-8, lines that are no objects).
"""
import json, random, sys, zipfile


class Refused(Exception):
    pass


def once(pairs):
    if len({name for name, _ in pairs}) < len(pairs):
        raise Refused
    return dict(pairs)


def constant(name):
    raise Refused


def has_half(value):
    if isinstance(value, str):
        return any(0xD800 <= ord(char) < 0xE000 for char in value)
    if isinstance(value, dict):
        return any(has_half(part) for pair in value.items() for part in pair)
    return isinstance(value, list) and any(map(has_half, value))


def truth(data):
    try:
        text = data.decode("utf-8-sig")
        number = "#{}".format
        records = [json.loads(line, object_pairs_hook=once, parse_constant=constant, parse_int=number, parse_float=number)
                   for line in text.split("\n") if line.strip()]
    except (Refused, ValueError, RecursionError):
        return None
    if not records or any(not isinstance(record, dict) or has_half(record) for record in records) or not any(records):
        return None
    return records


FILES = {
    "plain": '{"a": 1, "b": "x"}\n{"a": 2, "b": "y"}\n', "noeol": '{"a": 1}', "crlf": '{"a": 1}\r\n{"a": 2}\r\n', "blank": '\n{"a": 1}\n\n{"a": 2}\n\n', "bom": '\ufeff{"a": 1}\n',
    "missing": '{"a": 1}\n{"b": 2}\n', "null": '{"a": null}\n{"a": 1}\n', "all_null": '{"a": null, "b": 1}\n', "empty_object": '{"a": {}}\n{"a": {"b": 1}}\n', "empty_list": '{"a": []}\n{"a": [1]}\n',
    "unicode": '{"ü": "\u2028\u00e9😀"}\n', "escapes": '{"a": "\\u00e9\\n\\t\\"\\\\\\/\\b\\f\\ud83d\\ude00"}\n', "half": '{"a": "\\ud800"}\n', "nul": '{"a": "x\\u0000y"}\n', "control": '{"a": "x\x01y"}\n',
    "raw_newline": '{"a": "x\ny"}\n', "tab_raw": '{"a": "x\ty"}\n', "nan": '{"a": NaN}\n', "infinity": '{"a": -Infinity}\n', "twice": '{"a": 1, "a": 2}\n', "twice_below": '{"a": {"b": 1, "b": 2}}\n',
    "list_line": '[1]\n', "number_line": '1\n', "trailing_comma": '{"a": 1,}\n', "single_quotes": "{'a': 1}\n", "comment": '{"a": 1} // x\n', "cut_off": '{"a": 1',
    "zero_first": '{"a": 01}\n', "plus": '{"a": +1}\n', "point_last": '{"a": 1.}\n', "point_first": '{"a": .5}\n', "hex": '{"a": 0x1}\n', "true_upper": '{"a": True}\n', "minus_zero": '{"a": -0}\n{"a": -0.0}\n',
    "big_int": '{"a": 9223372036854775807}\n{"a": -9223372036854775808}\n', "bigger": '{"a": 9223372036854775808}\n', "huge": '{"a": 123456789012345678901234567890}\n', "exponent": '{"a": 1e5}\n{"a": 1E-3}\n{"a": 1.5e+2}\n',
    "digits": '{"a": 0.1}\n{"a": 3.141592653589793}\n{"a": 1e300}\n{"a": 5e-324}\n', "mixed": '{"a": 1}\n{"a": "x"}\n{"a": [1, {"b": null}]}\n{"a": true}\n', "int_and_float": '{"a": 1}\n{"a": 1.5}\n',
    "nested": '{"a": {"b": [{"c": 1}, {"c": null, "d": "x"}]}}\n{"a": {"b": []}}\n', "deep": '{"a": ' + "[" * 30 + "1" + "]" * 30 + "}\n", "dates": '{"a": "2024-05-01", "b": "007", "c": "1e5", "d": "true"}\n',
    "ragged_structs": '{"a": {"x": 1}}\n{"a": {"y": "z"}}\n', "list_of_mixed": '{"a": [1, "x", null]}\n', "struct_or_text": '{"a": {"x": 1}}\n{"a": "x"}\n', "long": '{"a": "' + "x" * 70000 + '"}\n{"a": "y"}\n',
    "key_with_blank": '{"a b": 1, "a.b": 2}\n', "latin1": b'{"a": "\xe9"}\n', "many": "".join(f'{{"i": {i}, "t": "{i}"}}\n' for i in range(3000)), "spaces": ' { "a" : 1 , "b" : [ 1 , 2 ] } \n',
}


def value(rng, depth):
    kind = rng.randrange(8 if depth < 3 else 6)
    if kind == 6:
        return [value(rng, depth + 1) for _ in range(rng.randrange(3))]
    if kind == 7:
        return {rng.choice("xyz"): value(rng, depth + 1) for _ in range(rng.randrange(3))}
    return rng.choice([None, True, rng.randint(-9, 9), rng.randint(-2**63, 2**63 - 1), rng.uniform(-9, 9), rng.choice(["", "é😀", "a\nb", "1", "null", '"'])])


def random_files(rng):
    for number in range(250):
        lines = [json.dumps({name: value(rng, 0) for name in "abc" if rng.random() < 0.8}, ensure_ascii=rng.random() < 0.5) for _ in range(rng.randint(1, 5))]
        text = rng.choice(["\n", "\r\n"]).join(lines)
        if rng.random() < 0.3:  # damaged somewhere
            at = rng.randrange(len(text))
            text = text[:at] + rng.choice(['"', "{", "}", "[", ",", ":", "\\", "1", " ", ""]) + text[at + 1:]
        yield f"random-{number}", text


def main():
    with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        def entry(name, data):
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
        for name, text in [*FILES.items(), *random_files(random.Random(7))]:
            data = text if isinstance(text, bytes) else text.encode()
            entry(name + ".jsonl", data)
            entry(name + ".json", json.dumps(truth(data)))


main()
