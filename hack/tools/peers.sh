#!/usr/bin/env bash
# Prints the folder with the model servers of others that the conformance tests run, and installs them there first, with the Node that runs
# them: versions and contents are those of package-lock.json, by which the folder in the cache is keyed. As root on Debian it installs npm
# when none is there. What it does is said on standard error.
set -euo pipefail
cd "$(dirname "$0")/../../test/conformance/peers"

if ! command -v npm >/dev/null 2>&1 && [[ $EUID -eq 0 ]] && command -v apt-get >/dev/null 2>&1; then
	echo "The conformance tests need npm: installing nodejs and npm from Debian's packages" >&2
	apt-get update -q >&2 && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends nodejs npm >&2
fi
if ! command -v npm >/dev/null 2>&1; then
	echo "The conformance tests run model servers from npm: install Node (the Debian packages nodejs and npm), and try again" >&2
	exit 1
fi
cache=${SEEDLOOM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/seedloom}
folder=$cache/peers-$(sha256sum package-lock.json | cut -c1-16)
if [[ ! -e $folder/complete ]]; then
	echo "Installing the peers of the conformance tests (240 MB, half a minute)" >&2
	mkdir -p "$cache"
	fresh=$(mktemp -d "$cache/peers-XXXXXX")
	trap 'rm -rf "$fresh"' EXIT
	cp package.json package-lock.json "$fresh"
	npm --prefix "$fresh" ci --ignore-scripts --no-audit --no-fund >&2
	touch "$fresh/complete"
	rm -rf "$folder"
	mv "$fresh" "$folder"
fi
echo "$folder"
