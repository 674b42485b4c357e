#!/usr/bin/env bash
# Prints the path of promtool, which runs the tests of the alerts, or nothing where there is none. As root on Debian it installs the package
# prometheus when none is there. What it does is said on standard error.
set -euo pipefail

if ! command -v promtool >/dev/null 2>&1 && [[ $EUID -eq 0 ]] && command -v apt-get >/dev/null 2>&1; then
	echo "The tests of the alerts need promtool: installing Debian's package prometheus" >&2
	if ! { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends prometheus; } >&2; then
		echo "It could not be installed" >&2
	fi
fi
command -v promtool || echo "There is no promtool: the tests of the alerts are skipped" >&2
