"""Makes a dataset with NeMo Data Designer, and prints the seconds, the processor time in seconds and the peak of memory in MiB that it took,
from the moment on that it is loaded.

usage: datadesigner.py requests ENDPOINT ROWS PARALLEL   a question to a model in each row
       datadesigner.py seed FILE ROWS                    the first rows of a seed, and two sampled columns
"""

import json
import logging
import os
import sys
import tempfile
import time

import data_designer.config as dd
from data_designer.interface import DataDesigner

logging.disable(logging.CRITICAL)
output = os.dup(1)
os.dup2(2, 1)  # what reads seeds shows its progress
os.environ["LOCAL_KEY"] = "none"
kind, source, rows = sys.argv[1], sys.argv[2], int(sys.argv[3])
parallel = int(sys.argv[4]) if kind == "requests" else 1
provider = dd.ModelProvider(name="local", endpoint=source if kind == "requests" else "http://127.0.0.1:9/v1", api_key="LOCAL_KEY")
model = dd.ModelConfig(
    alias="one", model="bench/one", provider="local", skip_health_check=True,
    inference_parameters=dd.ChatCompletionInferenceParams(max_tokens=16, max_parallel_requests=parallel))
builder = dd.DataDesignerConfigBuilder(model_configs=[model])
builder.add_column(name="key", column_type="sampler", sampler_type="uuid", params={})
if kind == "requests":
    builder.add_column(name="a", column_type="llm-text", model_alias="one", prompt="about {{ key }}")
else:
    builder.with_seed_dataset(dd.LocalFileSeedSource(path=source))
    builder.add_column(name="color", column_type="sampler", sampler_type="category", params={"values": ["red", "green", "blue"]})
with tempfile.TemporaryDirectory() as folder:
    designer = DataDesigner(artifact_path=folder, model_providers=[provider])
    before, begun = time.process_time(), time.perf_counter()
    made = designer.create(builder, num_records=rows)
    seconds, processor = time.perf_counter() - begun, time.process_time() - before
    if len(made.load_dataset()) != rows:
        sys.exit("rows are missing")
with open("/proc/self/status") as status:
    peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
os.write(output, json.dumps({"Seconds": seconds, "Processor": processor, "Memory": peak / 1024, "Rows": rows}).encode())
