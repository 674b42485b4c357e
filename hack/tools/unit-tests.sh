#!/usr/bin/env bash
# Runs the unit tests. Packages that work with goroutines are tested with the race detector. It makes tests five times as long, so that some
# of them do less there of what happens in one goroutine or in other processes (testing.Short): these packages are tested without it too, in
# full, as are those that have no goroutine.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# These need an API server, a cluster or programs of others, and have targets of their own.
elsewhere='/controllers|/test/agreement|/test/scale|/test/e2e|/test/conformance'
goroutines='^\s*(defer )?go (func\b|[a-zA-Z_.]+\()|\.Go\(|"sync"|"sync/atomic"|goleak\.'

race=$(hack/tools/race-detector.sh)
raced=() plain=()
while read -r package directory; do
	if [[ -z "$race" ]] || ! grep -qE "$goroutines" "$directory"/*.go; then
		plain+=("$package")
		continue
	fi
	raced+=("$package")
	if grep -qF 'testing.Short()' "$directory"/*.go; then plain+=("$package"); fi
done < <(go list -f '{{.ImportPath}} {{.Dir}}' ./... | grep -vE "$elsewhere")

go test -timeout 20m "${plain[@]}"
if [[ ${#raced[@]} -gt 0 ]]; then go test "$race" -short -timeout 20m "${raced[@]}"; fi
