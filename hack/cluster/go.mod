module seedloom.dev/seedloom/hack/cluster

go 1.26.0
