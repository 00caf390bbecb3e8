# syntax=docker/dockerfile:1
# The image by a container engine; `npm run image` makes the same one without. Node, Debian's runtime libraries and the bundle,
# nothing else; no shell, no npm. It stands in for CoreDNS's image: uid 65532, port 53 by a file capability, a read-only root,
# and arguments as CoreDNS takes them (`-conf /etc/coredns/Corefile`).
#
#   docker build -t seamark:0.1.0 .
#
# Of the first stage's base nothing gets into the image. Its digest of the day, to be put behind its tag where builds must not
# change with it: `docker buildx imagetools inspect node:24-bookworm-slim --format '{{.Manifest.Digest}}'`.

FROM --platform=$BUILDPLATFORM node:24-bookworm-slim AS tree
RUN ["apt-get", "update"]
RUN ["apt-get", "install", "--yes", "--no-install-recommends", "libcap2-bin"]
WORKDIR /build
COPY package.json package-lock.json tsconfig.json LICENSE ./
COPY scripts scripts
RUN ["node", "scripts/install.mjs"]
COPY src src
ARG TARGETARCH
RUN ["node", "scripts/image.ts", "--tree", "/out"]
# Exactly this capability: with any other, Node would take itself for a setuid program and ignore NODE_OPTIONS.
RUN ["setcap", "cap_net_bind_service=+ep", "/out/usr/local/bin/node"]

FROM scratch
LABEL org.opencontainers.image.title="seamark" \
      org.opencontainers.image.description="A Kubernetes cluster DNS server that takes CoreDNS's place" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=tree /out /
# One arena for all threads: glibc would keep one for each, 8 MiB in all.
# Before the server hears of SIGUSR1, Node would open its inspector for it.
ENV PATH=/usr/local/bin:/usr/bin:/bin NODE_ENV=production MALLOC_ARENA_MAX=1 NODE_OPTIONS=--disable-sigusr1
# As in CoreDNS's image: without arguments, ./Corefile is what would be read.
WORKDIR /
USER 65532:65532
EXPOSE 53/tcp 53/udp 8080/tcp 8181/tcp 9153/tcp
ENTRYPOINT ["/coredns"]
