#!/usr/bin/env bash
# Puts the version before this one into the cluster as seedloom.dev/seedloom:former, and prints the folder with its manifests: the version of
# the latest tag before, or else the commit before. In a shallow clone, and where there is no git, there is neither: it prints nothing, and says so.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

tag=$(git describe --tags --abbrev=0 HEAD~1 2>/dev/null || true)
commit=$(git rev-parse --verify --quiet "${tag:-HEAD~1}^{commit}" 2>/dev/null || true)
if [[ -z "$commit" ]]; then
	echo "There is no version before this one in the history: the upgrade from it is not tested" >&2
	exit 0
fi
echo "The version before is ${tag:-the commit before}, $commit" >&2
folder="$PWD/dist/former"
rm -rf "$folder"
mkdir -p "$folder/overlay" "$folder/programs"
git archive "$commit" | tar -x -C "$folder"
CGO_ENABLED=0 go -C "$folder" build -trimpath -ldflags='-s -w' -o programs/ ./cmd/manager ./cmd/engine ./cmd/bridge
go -C hack/cluster run . load-image --name seedloom.dev/seedloom:former --user 65532 --entrypoint /manager "$folder"/programs/{manager,engine,bridge} >&2
printf 'resources: [../config/default]\nimages: [{name: seedloom.dev/seedloom, newTag: former}]\n' >"$folder/overlay/kustomization.yaml"
echo "$folder/overlay"
