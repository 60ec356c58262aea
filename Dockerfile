# Builds the production binary and puts it, alone, into an image that runs as an ordinary user on a read-only file system.
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=unknown
RUN CGO_ENABLED=0 go build -mod=readonly -buildvcs=false -trimpath -ldflags "-s -w -X main.version=${VERSION}" -o /out/slipway . \
	&& cp "$(go env GOROOT)/lib/time/zoneinfo.zip" /out/zoneinfo.zip \
	&& cp /etc/ssl/certs/ca-certificates.crt /out/ca-certificates.crt

FROM scratch
COPY --from=build /out/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/zoneinfo.zip /zoneinfo.zip
COPY --from=build /out/slipway /slipway
ENV ZONEINFO=/zoneinfo.zip SLIPWAY_ADDR=:8080
USER 65532:65532
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=5s --start-period=10s CMD ["/slipway", "healthcheck"]
ENTRYPOINT ["/slipway"]
CMD ["serve"]
