#!/usr/bin/env bash
# Prints the Python with which the conformance tests read datasets, and installs it there first, with the readers of
# test/conformance/readers.txt and the loaders of trainers.txt, by which the folder in the cache is keyed. As root on Debian it installs
# python3-venv when it is not there.
# Where there is no Python that can have them, it prints nothing, and says on standard error that these tests are left out.
set -euo pipefail
cd "$(dirname "$0")/../../test/conformance"

cache=${SEEDLOOM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/seedloom}
folder=$cache/readers-$(cat readers.txt trainers.txt | sha256sum | cut -c1-16)
if [[ -e $folder/complete ]]; then
	echo "$folder/bin/python"
	exit
fi
venv() { python3 -m venv "$folder" >/dev/null 2>&1; }
mkdir -p "$cache"
rm -rf "$folder"
if ! venv && [[ $EUID -eq 0 ]] && command -v apt-get >/dev/null 2>&1; then
	echo "The conformance tests read datasets with Python: installing python3-venv from Debian's packages" >&2
	apt-get update -q >&2 && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends python3 python3-venv >&2 || true
	rm -rf "$folder"
	venv || true
fi
echo "Installing the readers of the conformance tests (600 MB, a minute)" >&2
if ! "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: -r readers.txt >&2; then
	rm -rf "$folder"
	echo "datasets, pandas, pyarrow, fastparquet, polars and duckdb can't be installed here: the tests that read datasets with them are left out" >&2
	exit
fi
# The loaders of trainers need no PyTorch, which pip would bring along.
if ! "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: --no-deps -r trainers.txt >&2; then
	echo "trl can't be installed here: what its loader makes of the forms is left out" >&2
fi
touch "$folder/complete"
echo "$folder/bin/python"
