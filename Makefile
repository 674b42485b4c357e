# Targets for developers of Seedloom. `make` alone lists them.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# What is built or downloaded lies here, outside the checkout, and is keyed by its content.
export SEEDLOOM_CACHE ?= $(if $(XDG_CACHE_HOME),$(XDG_CACHE_HOME),$(HOME)/.cache)/seedloom

CONTROLLER_GEN := bin/controller-gen
# The race detector needs a C compiler, which a fresh machine may not have.
RACE := $(shell command -v gcc >/dev/null 2>&1 && echo -race)

.PHONY: help
help: ## List the targets.
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ Code

.PHONY: generate
generate: $(CONTROLLER_GEN) ## Generate deep copies and apply configurations.
	$(CONTROLLER_GEN) object applyconfiguration paths=./api/...

.PHONY: manifests
manifests: $(CONTROLLER_GEN) ## Generate the CRD.
	$(CONTROLLER_GEN) crd:maxDescLen=0 paths=./api/... output:crd:dir=config/crd/bases

.PHONY: fmt
fmt: ## Format the code.
	gofmt -w $$(git ls-files '*.go')

.PHONY: vet
vet: ## Run go vet, and check the formatting.
	go vet ./...
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); if [[ -n "$$unformatted" ]]; then echo "not formatted (run make fmt):"; echo "$$unformatted"; exit 1; fi

.PHONY: verify
verify: generate manifests ## Fail when generated files are stale.
	@stale=$$(git status --porcelain -- api config); if [[ -n "$$stale" ]]; then echo "generated files are stale (run make generate manifests, and commit):"; echo "$$stale"; exit 1; fi

.PHONY: build
build: ## Build the static binaries into dist/.
	CGO_ENABLED=0 go build -trimpath -o dist/ ./cmd/...

##@ Tests

.PHONY: test
test: test-unit ## Run all tests.

.PHONY: test-unit
test-unit: ## Run the unit tests, with the race detector where there is a C compiler.
	@echo "unit tests$(if $(RACE), with the race detector, without the race detector: gcc was not found)"
	go test $(RACE) ./...

$(CONTROLLER_GEN): hack/tools/go.mod hack/tools/go.sum
	go -C hack/tools build -o ../../bin/ sigs.k8s.io/controller-tools/cmd/controller-gen
