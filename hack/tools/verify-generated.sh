#!/usr/bin/env bash
# Fails when generated files differ from what `make generate manifests` would write. It generates in a copy of the working tree, so that
# nothing changes in the checkout, and so that changes which are not committed yet are checked too.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git ls-files --cached --others --exclude-standard -z | while IFS= read -r -d '' file; do
	if [[ -f "$file" ]]; then printf '%s\0' "$file"; fi
done | tar --create --null --files-from=- | tar --extract --directory "$copy"
mkdir "$copy/bin"
cp bin/controller-gen bin/crd-ref-docs "$copy/bin/"
# make builds a tool again when go.mod is newer than it.
touch "$copy"/bin/*

if ! make --no-print-directory -C "$copy" generate manifests >"$copy/generate.log" 2>&1; then
	cat "$copy/generate.log"
	echo "make generate manifests has failed"
	exit 1
fi
stale=0
for path in api charts config docs/api.md; do
	diff --recursive --new-file --unified "$path" "$copy/$path" || stale=1
done
if [[ $stale -ne 0 ]]; then
	echo "Generated files are stale: run \`make generate manifests\`, and commit what changes."
	exit 1
fi
echo "Generated files are fresh."
