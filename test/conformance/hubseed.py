"""Reads datasets of a hub with datasets, and prints the rows of each as a line of JSON, structs as lists, or null where it is refused.

Argument: a list of [repository, revision, configuration, split] as JSON; what is empty is left to datasets. HF_ENDPOINT says where the hub is.
"""
import json
import sys

import datasets


def cells(value):
    """The values of structs, in the order of their members."""
    if isinstance(value, dict):
        return [cells(member) for member in value.values()]
    return [cells(member) for member in value] if isinstance(value, list) else value


for repository, revision, config, split in json.loads(sys.argv[1]):
    try:
        table = datasets.load_dataset(repository, config or None, split=split or "train", revision=revision or None)
    except Exception as problem:  # whatever it is: the other side must refuse it too
        print(f"{repository} {config} {split}: {type(problem).__name__}: {str(problem)[:200]}", file=sys.stderr)
        print("null")
        continue
    print(json.dumps([cells(row) for row in table.to_list()], default=str))
