"""Reads a dataset that was published in a hub with the hub's own client and with datasets, and has the client write to the hub as well.

Arguments: the repository, and the folder that was published. HF_ENDPOINT and HF_TOKEN say where the hub is.
"""
import json
import os
import sys

import datasets
import huggingface_hub
import pyarrow.parquet

repository, folder = sys.argv[1], sys.argv[2]
api = huggingface_hub.HfApi()


def expect(what, got, want):
    if got != want:
        sys.exit(f"{what}: got {got!r}, want {want!r}")


expect("the hub knows the token", api.whoami()["name"], "me")
info = api.dataset_info(repository)
expect("the repository is private", info.private, True)
files = sorted(api.list_repo_files(repository, repo_type="dataset"))
expect("the files", [name.split("/")[0] for name in files],
       [".gitattributes", "README.md"] + ["images"] * 40 + ["parquet-files"] * 3 + ["processors-files"] * 3)

card = huggingface_hub.DatasetCard.load(repository)
expect("the licence", card.data.license, "cc-by-4.0")
expect("the tags", card.data.tags, ["synthetic", "seedloom", "support"])
expect("the size", card.data.size_categories, ["n<1K"])
card.validate()

for config, path in (("default", "parquet-files"), ("chat", "processors-files/chat")):
    truth = pyarrow.parquet.read_table(os.path.join(folder, path))
    table = datasets.load_dataset(repository, config, split="train")
    expect(f"the rows of {config}", json.dumps(table.to_list(), default=str), json.dumps(truth.to_pylist(), default=str))
    expect(f"the columns of {config}", table.column_names, truth.column_names)
    for field in truth.schema:
        expect(f"the type of {field.name}", str(table.features.arrow_schema.field(field.name).type).replace("element:", "item:"),
               str(field.type).replace("element:", "item:"))
    said = {one["config_name"]: one for one in card.data.dataset_info}[config]
    expect(f"the card counts {config}", said["splits"][0]["num_examples"], truth.num_rows)
    streamed = next(iter(datasets.load_dataset(repository, config, split="train", streaming=True)))
    expect(f"the first row of {config} as a stream", json.dumps(streamed, default=str), json.dumps(truth.to_pylist()[0], default=str))
expect("the tables", sorted(datasets.get_dataset_config_names(repository)), ["chat", "default"])

image = huggingface_hub.hf_hub_download(repository, datasets.load_dataset(repository, split="train")[0]["cover"][0], repo_type="dataset")
expect("an image", open(image, "rb").read(4), b"\x89PNG")

# The client writes to the hub as it does to others: what stands in for the hub is one.
api.create_repo("me/others", repo_type="dataset", private=True)
api.create_repo("me/others", repo_type="dataset", exist_ok=True)
api.upload_folder(folder_path=os.path.join(folder, "parquet-files"), path_in_repo="data", repo_id="me/others", repo_type="dataset")
expect("what the client has written", datasets.load_dataset("me/others", split="train").num_rows, 40)
print("datasets", datasets.__version__, "huggingface_hub", huggingface_hub.__version__)
