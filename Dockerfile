# syntax=docker/dockerfile:1
# The image: Node and the bundle, nothing else; no shell, no npm. It stands in for CoreDNS's image: uid 65532, port 53 by a
# file capability, a read-only root, and arguments as CoreDNS takes them (`-conf /etc/coredns/Corefile`).
#
#   docker build -t seamark:0.1.0 .

FROM node:24-bookworm-slim AS bundle
WORKDIR /seamark
COPY package.json package-lock.json tsconfig.json ./
COPY scripts scripts
RUN ["node", "scripts/install.mjs"]
COPY src src
RUN ["node", "scripts/bundle.ts", "/out/seamark"]

FROM node:24-bookworm-slim AS node
RUN ["apt-get", "update"]
RUN ["apt-get", "install", "--yes", "--no-install-recommends", "libcap2-bin"]
RUN ["install", "-D", "--mode=0755", "/usr/local/bin/node", "/out/node"]
# Exactly this capability: with any other, Node would take itself for a setuid program and ignore NODE_OPTIONS.
RUN ["setcap", "cap_net_bind_service=+ep", "/out/node"]

# glibc, libstdc++ and an /etc/passwd with the user 65532.
FROM gcr.io/distroless/cc-debian12:nonroot
LABEL org.opencontainers.image.title="seamark" \
      org.opencontainers.image.description="A Kubernetes cluster DNS server that takes CoreDNS's place" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=node /out/node /usr/local/bin/node
COPY --from=bundle /out/seamark /seamark
# One arena for all threads: glibc would keep one for each, 8 MiB in all.
ENV NODE_ENV=production MALLOC_ARENA_MAX=1
# As in CoreDNS's image: without arguments, ./Corefile is what would be read.
WORKDIR /
USER 65532:65532
EXPOSE 53/udp 53/tcp 8080/tcp 8181/tcp 9153/tcp
# What a listing leaves behind dies young: with room for more of it, the heap of the control thread would only be larger.
ENTRYPOINT ["/usr/local/bin/node", "--max-semi-space-size=1", "/seamark/seamark.mjs"]
