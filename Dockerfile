# One static binary in an image with nothing else but certificates and time zones.
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.release=${VERSION}" -o /aftercall ./cmd/aftercall

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /aftercall /usr/local/bin/aftercall
USER nonroot
EXPOSE 8080
# SIGTERM stops in order: give it a minute (docker stop -t 60).
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/aftercall"]
CMD ["serve"]
