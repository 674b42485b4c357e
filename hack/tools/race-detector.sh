#!/usr/bin/env bash
# Prints -race when tests can be run with the race detector, which needs a C compiler, and nothing otherwise.
# As root on Debian it installs gcc when none is there. What it does is said on standard error.
set -euo pipefail

compiler() { command -v "$(go env CC)" >/dev/null 2>&1; }

if ! compiler && [[ $EUID -eq 0 ]] && command -v apt-get >/dev/null 2>&1; then
	echo "The race detector needs a C compiler: installing gcc and libc6-dev from Debian's packages" >&2
	{
		apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends gcc libc6-dev
	} >&2 || echo "gcc could not be installed" >&2
fi
if compiler; then
	echo "Tests run with the race detector" >&2
	echo -race
else
	echo "Tests run WITHOUT the race detector: there is no C compiler (install gcc and libc6-dev)" >&2
fi
