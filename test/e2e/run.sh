#!/usr/bin/env bash
# Runs the end-to-end tests on a real cluster: brings it up, builds and loads the images, deploys the operator, tests, and takes the
# cluster down again, also after a failure. A cluster that was up before stays up, and so does one with KEEP_CLUSTER=1.
# E2E_FOCUS runs only the tests whose names match; E2E_PROCESSES is how many run at once.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

cluster() { go -C hack/cluster run . "$@"; }
kubectl() { cluster kubectl -- "$@"; }

step() {
	local start=$SECONDS
	printf -- '--- %s\n' "$*"
	"$@"
	printf -- '--- %s: %d s\n' "$*" "$((SECONDS - start))"
}

# finish shows what the operator said when a test has failed, and takes the cluster down.
finish() {
	local status=$?
	if [[ $status -ne 0 ]] && cluster kubeconfig >/dev/null 2>&1; then
		echo "--- the end of the operator's log"
		kubectl --namespace seedloom-system logs --selector app.kubernetes.io/component=manager --tail 60 || true
		echo "--- what is in the cluster"
		kubectl get nodes,pods,jobs,datasetgenerations --all-namespaces --output wide || true
	fi
	if [[ -n "${KEEP_CLUSTER:-}" || "$was_up" == yes ]]; then
		echo "The cluster stays up; \`make cluster-down\` takes it down."
	else
		step cluster down || status=1
	fi
	exit "$status"
}

was_up=no
if cluster kubeconfig >/dev/null 2>&1; then was_up=yes; fi
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

step make --no-print-directory cluster-up
step make --no-print-directory images
step make --no-print-directory deploy

# stand_ins puts what stands in for services outside of a cluster into it (test/e2e/standins), with an object store that others have built.
stand_ins() {
	CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o dist/ ./test/e2e/standins
	cluster load-image --name seedloom.dev/standins:dev --user 65532 --entrypoint /standins "$PWD/dist/standins" "$(cluster object-store | tail -n 1)"
}
step stand_ins

# Data may come from the stand-ins alone of all that is in the cluster (test/e2e/standins/standins.yaml has their address).
allow_stand_ins() {
	kubectl --namespace seedloom-system set env deployment/seedloom-manager SEEDLOOM_ALLOWED_ADDRESSES=10.96.0.200/32
	kubectl --namespace seedloom-system rollout status deployment/seedloom-manager --timeout 180s
}
step allow_stand_ins

former() { E2E_FORMER=$(test/e2e/former.sh); }
step former
export E2E_FORMER
E2E_KUBECONFIG=$(cluster kubeconfig | tail -n 1)
export E2E_KUBECONFIG
step go tool ginkgo --procs "${E2E_PROCESSES:-3}" --timeout 20m --poll-progress-after 90s --no-color \
	${E2E_FOCUS:+--focus "$E2E_FOCUS"} ./test/e2e
# Last, since it replaces the operator that was deployed above.
if [[ -z "${E2E_FOCUS:-}" ]]; then
	step go -C test/install test -count=1 -timeout 15m -run TestHelmOnACluster .
fi
