# syntax=docker/dockerfile:1
# The image of the operator and of engine Pods: static programs and the certificates of public authorities, without a shell, as a user without rights.
#   docker buildx build --platform linux/amd64,linux/arm64 --build-arg VERSION=v0.1.0 --tag registry.example.com/seedloom:v0.1.0 --push .
# Without a daemon, `make image` makes the same image as an OCI archive.
FROM --platform=$BUILDPLATFORM golang:1.26 AS build
WORKDIR /source
COPY go.mod go.sum ./
RUN go mod download
COPY api api
COPY cmd cmd
COPY config/crd config/crd
COPY controllers controllers
COPY engine engine
COPY internal internal
ARG TARGETOS TARGETARCH VERSION=dev
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath \
    -ldflags="-s -w -X seedloom.dev/seedloom/internal/buildversion.version=$VERSION" \
    -o /programs/ ./cmd/manager ./cmd/engine ./cmd/bridge

FROM scratch
LABEL org.opencontainers.image.title="Seedloom" \
      org.opencontainers.image.description="Synthetic datasets with language models, on Kubernetes" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /programs/ /
USER 65532:65532
ENTRYPOINT ["/manager"]
