"""Reads the exports of a dataset with the readers that are installed, and its forms as trainers load them.

Argument: the folder of the dataset. What is said of trl's own loader is left out where trl is not installed.
"""
import csv
import importlib.util
import io
import json
import os
import sys

import datasets
import pandas
import pyarrow
import pyarrow.ipc
import pyarrow.parquet

folder = sys.argv[1]
exports = os.path.join(folder, "exports")
truth = pyarrow.parquet.read_table(os.path.join(folder, "parquet-files")).to_pylist()


def expect(what, got, want):
    if got != want:
        sys.exit(f"{what}: got {got!r}, want {want!r}")


# JSON Lines, in one frame of zstd a file, split by a column.
lines = datasets.load_dataset("json", data_files={
    "train": os.path.join(exports, "lines", "train-*.jsonl.zst"), "test": os.path.join(exports, "lines", "test-*.jsonl.zst")})
for split, table in lines.items():
    expect("datasets reads JSON Lines of " + split, table.to_list(), [row for row in truth if row["split"] == split])
expect("datasets takes whole numbers for what they are", lines["train"].features["large"].dtype, "int64")
expect("datasets takes floats for what they are", lines["train"].features["round"].dtype, "float64")

# CSV, as Python's own module and pandas read it.
text = open(os.path.join(exports, "table", "data-00000.csv"), newline="", encoding="utf-8").read()
records = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
expect("csv reads texts", [row["text"] for row in records], [row["text"] or "" for row in truth])
expect("csv reads numbers", [int(row["large"]) for row in records], [row["large"] for row in truth])
expect("csv reads floats", [float(row["third"]) for row in records], [row["third"] for row in truth])
frame = pandas.read_csv(os.path.join(exports, "table", "data-00000.csv"), keep_default_na=False)
expect("pandas reads texts of CSV", frame["text"].tolist(), [row["text"] or "" for row in truth])

# A sheet has nothing that is computed.
sheet = open(os.path.join(exports, "sheet", "data-00000.csv"), newline="", encoding="utf-8-sig").read()
for row in csv.DictReader(io.StringIO(sheet, newline=""), strict=True):
    for cell in (row["text"], row["large"]):
        if cell[:1] in ("=", "+", "@", "\t"):
            sys.exit(f"a sheet has the formula {cell!r}")

# Arrow has every value and type.
with pyarrow.ipc.open_file(os.path.join(exports, "arrow", "data-00000.arrow")) as file:
    expect("pyarrow reads Arrow", file.read_all().to_pylist(), truth)
expect("datasets reads Arrow", datasets.load_dataset(
    "arrow", data_files=os.path.join(exports, "arrow", "*.arrow"))["train"].to_list(), truth)
print("exports read by datasets, pandas, pyarrow and csv")


def form(name):
    return datasets.load_dataset("json", data_files=os.path.join(exports, name, "*.jsonl"))["train"]


expect("alpaca", form("alpaca").column_names, ["instruction", "input", "output"])
expect("triplets", form("triplets").column_names, ["anchor", "positive", "negative"])
if importlib.util.find_spec("trl") is None:
    print("trl is not installed: what its loader makes of the forms is left out")
    sys.exit()

from tokenizers import Tokenizer, models
from transformers import PreTrainedTokenizerFast
from trl import data_utils

tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.WordLevel({"?": 0}, unk_token="?")), unk_token="?", eos_token="?")
tokenizer.chat_template = """{%- if tools %}TOOLS {{ tools | length }}
{% endif %}{%- for message in messages %}<{{ message.role }}>{{ message.content or '' }}{%- if message.tool_calls %}
{%- for call in message.tool_calls %}CALL {{ call.function.name }} {{ call.function.arguments }}{% endfor %}{% endif %}
{% endfor %}{%- if add_generation_prompt %}<assistant>{% endif %}"""

for name, columns in {"chat": ["text"], "completion": ["prompt", "completion"], "pairs": ["prompt", "chosen", "rejected"],
                      "labels": ["prompt", "completion", "label"]}.items():
    example = form(name)[0]
    if not data_utils.is_conversational(example):
        sys.exit(f"trl takes the form {name} for no conversation: {example}")
    made = data_utils.maybe_apply_chat_template(example, tokenizer)
    expect("trl makes of " + name, sorted(made), sorted(columns))
    for column in columns:
        if column != "label" and not made[column]:
            sys.exit(f"trl makes nothing of {column} of {name}")
# Of ShareGPT trl knows the keys, and takes the names of the roles as they are.
expect("trl's conversations of ShareGPT", [message["role"] for message in data_utils.maybe_convert_to_chatml(
    form("sharegpt")[0])["messages"]], ["system", "human", "gpt"])
expect("trl sees plain texts", data_utils.is_conversational(form("plain")[0]), False)
expect("trl takes the pairs apart", data_utils.unpair_preference_dataset(form("pairs")).column_names, ["prompt", "completion", "label"])

calls = form("tools")[0]
made = data_utils.apply_chat_template(calls, tokenizer, tools=json.loads(calls["tools"]))["text"]  # as trl's trainer does
for part in ("TOOLS 1", "<user>weather?", 'CALL weather {"city":"Bern"}', "<tool>snow", "<assistant>It snows."):
    if part not in made:
        sys.exit(f"trl makes {made!r} of a conversation with tools, without {part!r}")
print("forms read by trl")
