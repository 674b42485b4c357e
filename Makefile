# Targets for developers of Seedloom. `make` alone lists them. Nothing but Go, make and git need be installed before.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# What is built or downloaded lies here, outside the checkout, and is keyed by its content.
export SEEDLOOM_CACHE ?= $(if $(XDG_CACHE_HOME),$(XDG_CACHE_HOME),$(HOME)/.cache)/seedloom
export GOLANGCI_LINT_CACHE ?= $(SEEDLOOM_CACHE)/golangci-lint

CONTROLLER_GEN := bin/controller-gen
API_DOCS := bin/crd-ref-docs
GOLANGCI_LINT := bin/golangci-lint-kube-api-linter
GOVULNCHECK := bin/govulncheck

# The modules of the repository beside the root's, as folders.
MODULES := hack/cluster hack/bench/peers hack/tools/overlay hack/tools/shape test/gitops test/install

# The version that programs tell of themselves: the latest tag, or the commit.
VERSION ?= $(shell git describe --tags --dirty 2>/dev/null || git describe --always --dirty --abbrev=12 2>/dev/null | sed 's/^/dev-/' || echo dev)
LDFLAGS := -s -w -X seedloom.dev/seedloom/internal/buildversion.version=$(VERSION)

OPERATOR_IMAGE := seedloom.dev/seedloom:dev
# What `make image` makes, and for which machines.
IMAGE ?= seedloom.dev/seedloom:$(VERSION)
IMAGE_ARCHITECTURES ?= amd64 arm64
IMAGE_PROGRAMS := manager engine bridge
comma := ,
space := $(subst ,, )
# The certificates of public authorities, for providers on the internet.
CERTIFICATES := $(addsuffix =/etc/ssl/certs/ca-certificates.crt,$(firstword $(wildcard /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt)))
SIMULATOR_IMAGE := seedloom.dev/llmsim:dev
TOOLSERVER_IMAGE := seedloom.dev/toolserver:dev
CLUSTER := go -C hack/cluster run .
KUBECTL := $(CLUSTER) kubectl --

.PHONY: help
help: ## List the targets.
	@awk 'BEGIN {FS = ":.*## "} /^##@ / {printf "\n%s\n", substr($$0, 5)} /^[a-z0-9-]+:.*## / {printf "  make %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ Try it

.PHONY: demo
demo: ## Bring up a real Kubernetes with the operator, and generate the sample dataset on it.
	@echo "Compiling the demo (the first time 2 to 5 minutes on 2 cores)"
	@go build -o bin/demo ./hack/demo
	@bin/demo

.PHONY: demo-down
demo-down: cluster-down ## Take down what the demo has brought up. Caches stay.

##@ Code

.PHONY: generate
generate: $(CONTROLLER_GEN) ## Generate deep copies and apply configurations.
	$(CONTROLLER_GEN) object:headerFile=hack/boilerplate.go.txt applyconfiguration:headerFile=hack/boilerplate.go.txt paths=./api/...

.PHONY: manifests
manifests: $(CONTROLLER_GEN) $(API_DOCS) ## Generate the CRD, the controller's role, the Helm chart and the API reference.
	$(CONTROLLER_GEN) crd paths=./api/... output:crd:dir=config/crd/bases
	go run ./hack/definition
	$(CONTROLLER_GEN) rbac:roleName=seedloom-manager paths=./controllers/... output:rbac:dir=config/rbac
	go run ./hack/chart
	$(API_DOCS) --log-level ERROR --source-path api/v1alpha1 --config hack/tools/api-docs.yaml --renderer markdown --max-depth 20 --output-path docs/api.md

.PHONY: fmt
fmt: ## Format the code.
	gofmt -w $$(git ls-files '*.go')

.PHONY: build
build: ## Build the static binaries, the command line among them, into dist/.
	@mkdir -p dist
	CGO_ENABLED=0 go build -trimpath -ldflags='$(LDFLAGS)' -o dist/ ./cmd/manager ./cmd/engine ./cmd/bridge ./cmd/seedloom ./cmd/llmsim ./cmd/toolserver

.PHONY: image
image: ## Make the operator's image for all of IMAGE_ARCHITECTURES as one OCI archive, dist/seedloom.tar, without a daemon (as the Dockerfile does).
	for architecture in $(IMAGE_ARCHITECTURES); do \
		mkdir -p "dist/$$architecture"; \
		CGO_ENABLED=0 GOOS=linux GOARCH="$$architecture" go build -trimpath -ldflags='$(LDFLAGS)' -o "dist/$$architecture/" $(IMAGE_PROGRAMS:%=./cmd/%); \
	done
	$(CLUSTER) save-image --name $(IMAGE) --architectures "$(subst $(space),$(comma),$(strip $(IMAGE_ARCHITECTURES)))" --user 65532 --entrypoint /manager \
		--output "$(CURDIR)/dist/seedloom.tar" $(IMAGE_PROGRAMS:%="$(CURDIR)/dist/{architecture}/%") $(CERTIFICATES)

.PHONY: release
release: ## Make the archives, checksums and bills of materials of a release into dist/release/.
	go run ./hack/release --version $(VERSION)

.PHONY: clean
clean: ## Remove what was built in the checkout. Caches stay.
	rm -rf bin dist

##@ Checks

.PHONY: vet
vet: ## Run go vet, and check the formatting.
	go vet ./...
	for module in $(MODULES); do go -C "$$module" vet ./...; done
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); \
	if [[ -n "$$unformatted" ]]; then echo "not formatted (run make fmt):"; echo "$$unformatted"; exit 1; fi

.PHONY: lint
lint: $(GOLANGCI_LINT) ## Run golangci-lint with the Kubernetes API linter, which also checks who may import whom.
	$(GOLANGCI_LINT) run ./...
	for module in $(MODULES); do (cd "$$module" && "$(CURDIR)/$(GOLANGCI_LINT)" run --config "$(CURDIR)/.golangci.yml" ./...); done

.PHONY: verify
verify: $(CONTROLLER_GEN) $(API_DOCS) ## Fail when generated files or go.mod are stale. Changes nothing.
	hack/tools/verify-generated.sh
	go mod tidy -diff
	for module in $(MODULES); do go -C "$$module" mod tidy -diff; done

.PHONY: shape
shape: ## Count what makes code hard to read, and fail where a goal is missed (hack/tools/shape/goals.yaml).
	go -C hack/tools/shape build -o ../../../bin/shape .
	bin/shape

.PHONY: ci
ci: ## Check a clean checkout as a whole, as continuous integration does.
	.ci/run

.PHONY: vulncheck
vulncheck: $(GOVULNCHECK) ## Look for known vulnerabilities in what is called, when their database can be reached.
	hack/tools/vulncheck.sh $(GOVULNCHECK)

##@ Tests

.PHONY: test
test: test-unit test-fuzz test-conformance test-controllers test-e2e ## Run all tests.

.PHONY: test-unit
test-unit: ## Run the unit tests, with the race detector where there is (or can be installed) a C compiler.
	@# Ruff and PDFium are compiled before, without the race detector: what comes of it is kept, and with it that takes ten times as long.
	go test -run 'TestRulesThatRuffDoesNotKnowAreRefused|TestDocumentsAreRead' ./engine/validate/ruff ./engine/document/process
	store=$$($(CLUSTER) object-store | tail -n 1); \
	SEEDLOOM_TEST_OBJECT_STORE="$$store" SEEDLOOM_TEST_PROMTOOL=$$(hack/tools/promtool.sh) hack/tools/unit-tests.sh
	@# Some read files of other modules, of which Go does not see that they have changed.
	for module in $(MODULES); do go -C "$$module" test -count=1 ./...; done

.PHONY: test-fuzz
test-fuzz: ## Try random answers of models and random schemas for 20 seconds.
	for target in FuzzExtract FuzzSchema; do \
		go test ./engine/structured -run '^$$' -fuzz "^$$target\$$" -fuzztime 10s -fuzzminimizetime 10x; done

.PHONY: test-conformance
test-conformance: ## Make datasets from model servers that others wrote (npm), and read them with the readers of the field (PyPI); both are installed.
	peers=$$(hack/tools/peers.sh); \
	readers=$$(hack/tools/readers.sh); \
	SEEDLOOM_TEST_PEERS="$$peers" SEEDLOOM_TEST_PYTHON="$$readers" go test ./test/conformance ./engine/parquetfile

.PHONY: test-stores
test-stores: ## Hold the output in buckets to a second object store of others, rclone, which is built first (1 to 5 minutes on 2 cores).
	rclone=$$($(CLUSTER) object-store rclone | tail -n 1); \
	SEEDLOOM_TEST_RCLONE="$$rclone" go test -count=1 -run TestRclone ./engine/store/s3

.PHONY: test-controllers
test-controllers: ## Run the controller's tests against a real API server.
	echo "etcd and kube-apiserver: built on first use, about 8 minutes on 2 cores, or downloaded"
	assets=$$($(CLUSTER) assets | tail -n 1); \
	race=$$(hack/tools/race-detector.sh); \
	KUBEBUILDER_ASSETS="$$assets" go test $$race -timeout 15m ./controllers/... ./test/agreement ./test/scale

.PHONY: test-scale
test-scale: ## Measure the operator in a crowd against its ranges (10 minutes on 2 idle cores; ONLY=run, crowd or rest).
	assets=$$($(CLUSTER) assets | tail -n 1); \
	KUBEBUILDER_ASSETS="$$assets" go run ./test/scale $(if $(ONLY),-only $(ONLY))

.PHONY: test-e2e
test-e2e: ## Run the end-to-end tests on a real cluster, which is taken down afterwards (KEEP_CLUSTER=1 keeps it).
	test/e2e/run.sh

##@ Cluster

.PHONY: cluster-up
cluster-up: ## Bring up the cluster: etcd, control plane, kubelet and containerd on this machine.
	$(CLUSTER) up

.PHONY: cluster-down
cluster-down: ## Take the cluster down.
	$(CLUSTER) down

.PHONY: images
images: ## Put the images of the operator, of the simulated model server and of the tool server for trials into the cluster.
	@mkdir -p dist
	CGO_ENABLED=0 go build -trimpath -ldflags='$(LDFLAGS)' -o dist/ ./cmd/llmsim ./cmd/toolserver
	@# The archive is the one that users bring into their registries, here for this machine alone.
	$(MAKE) --no-print-directory image IMAGE=$(OPERATOR_IMAGE) IMAGE_ARCHITECTURES="$$(go env GOARCH)"
	$(CLUSTER) load-archive --archive "$(CURDIR)/dist/seedloom.tar"
	$(CLUSTER) load-image --name $(SIMULATOR_IMAGE) --user 65532 --entrypoint /llmsim "$(CURDIR)/dist/llmsim"
	$(CLUSTER) load-image --name $(TOOLSERVER_IMAGE) --user 65532 --entrypoint /toolserver "$(CURDIR)/dist/toolserver"

.PHONY: deploy
deploy: ## Deploy the operator from config/default, and wait until it is available.
	$(KUBECTL) apply --server-side --force-conflicts -k "$(CURDIR)/config/default"
	@# The image's tag does not change with its content: only new Pods run what was just built.
	$(KUBECTL) --namespace seedloom-system rollout restart deployment
	$(KUBECTL) --namespace seedloom-system rollout status deployment --timeout 180s

$(CONTROLLER_GEN): hack/tools/go.mod hack/tools/go.sum
	go -C hack/tools build -o ../../bin/ sigs.k8s.io/controller-tools/cmd/controller-gen
$(API_DOCS): hack/tools/go.mod hack/tools/go.sum
	go -C hack/tools build -o ../../bin/ github.com/elastic/crd-ref-docs
$(GOLANGCI_LINT): hack/tools/go.mod hack/tools/go.sum
	go -C hack/tools build -o ../../bin/ sigs.k8s.io/kube-api-linter/cmd/golangci-lint-kube-api-linter
$(GOVULNCHECK): hack/tools/go.mod hack/tools/go.sum
	go -C hack/tools build -o ../../bin/ golang.org/x/vuln/cmd/govulncheck
