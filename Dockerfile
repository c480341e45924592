# Four images from one build: edge, rooms, storage, and fjord, which is all of
# them in one process and the default target.
#
#   docker build --target edge -t fjord-edge .
#   docker build -t fjord . && docker run -p 127.0.0.1:1234:1234 -e FJORD_INSECURE=true -v fjord:/data fjord
#
# FJORD_INSECURE, because a container's port can't be on loopback: -p says who reaches
# it. With FJORD_AUTH it isn't needed.
#
# rooms and storage want a secret by which services know one another: compose.yaml
# makes one.
#
# Each image is one static binary on nothing: no shell, no package, no root, and the
# public authorities' certificates, for a JWK Set, a webhook or a collector by https.
# The binary checks its own health. Where there is a data directory it is read first,
# whole: until then there is no answer, and none is missed.

FROM golang:1.26-bookworm AS build
WORKDIR /src
# Dependencies in a layer of their own: they change less often than the code.
COPY go.work* ./
COPY cmd/go.* cmd/
COPY gen/go.* gen/
COPY internal/go.* internal/
COPY reliability/go.* reliability/
COPY services/edge/go.* services/edge/
COPY services/rooms/go.* services/rooms/
COPY services/storage/go.* services/storage/
COPY yjs/go.* yjs/
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o /out/ \
      ./cmd/fjord ./services/edge/cmd/edge ./services/rooms/cmd/rooms ./services/storage/cmd/storage
# A named volume takes its owner from the image's folder.
RUN mkdir -m 0700 /out/data

FROM scratch AS storage
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/storage /storage
COPY --from=build --chown=65532:65532 /out/data /data
COPY --from=build --chown=65532:65532 /out/data /secret
USER 65532:65532
ENV FJORD_RPC=:7071 FJORD_OPS=:9090 FJORD_DATA=/data
VOLUME /data
EXPOSE 7071 9090
HEALTHCHECK --interval=3s --timeout=3s --start-period=10m --retries=3 CMD ["/storage", "healthcheck"]
ENTRYPOINT ["/storage"]

FROM scratch AS rooms
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/rooms /rooms
USER 65532:65532
ENV FJORD_RPC=:7070 FJORD_OPS=:9090 FJORD_STORAGE_URL=http://storage:7071
EXPOSE 7070 9090
HEALTHCHECK --interval=3s --timeout=3s --start-period=30s --retries=3 CMD ["/rooms", "healthcheck"]
ENTRYPOINT ["/rooms"]

FROM scratch AS edge
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/edge /edge
USER 65532:65532
ENV FJORD_LISTEN=:1234 FJORD_OPS=:9090 FJORD_ROOMS_URL=http://rooms:7070
EXPOSE 1234 9090
HEALTHCHECK --interval=3s --timeout=3s --start-period=30s --retries=3 CMD ["/edge", "healthcheck"]
ENTRYPOINT ["/edge"]

FROM scratch AS fjord
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/fjord /fjord
COPY --from=build --chown=65532:65532 /out/data /data
USER 65532:65532
ENV FJORD_LISTEN=:1234 FJORD_RPC=127.0.0.1:7070 FJORD_OPS=:9090 FJORD_DATA=/data
VOLUME /data
EXPOSE 1234 9090
HEALTHCHECK --interval=3s --timeout=3s --start-period=10m --retries=3 CMD ["/fjord", "healthcheck"]
ENTRYPOINT ["/fjord"]
