# The image of portaldb: the binary on glibc, run by an account without rights.
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
RUN go build -buildvcs=false -trimpath -ldflags "-s -w -X portaldb/internal/cli.version=${VERSION}" -o /portaldb ./cmd/portaldb

FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates tzdata \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin portaldb \
 # a volume mounted here takes its owner from this folder
 && install --directory --owner=10001 --group=10001 /data /data/uploads
COPY --from=build /portaldb /usr/local/bin/portaldb
USER 10001:10001
ENV PORTALDB_ADDR=0.0.0.0:8080
EXPOSE 8080
STOPSIGNAL SIGTERM
ENTRYPOINT ["portaldb"]
CMD ["serve"]
