# Build: docker build -t matrix-appservice-sip .   (for two architectures, with SBOM and provenance: docs/deploy/container.md)
# Run:   docker run --network host -v /etc/matrix-appservice-sip:/data matrix-appservice-sip
# The bridge runs as the owner of the folder mounted at /data: chown -R 1000:1000 /etc/matrix-appservice-sip
# It uses the host's network because SIP and RTP contain addresses and need a range of UDP ports.
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY src src
COPY web web
RUN npm run build && npm prune --omit=dev

FROM node:24-bookworm-slim
LABEL org.opencontainers.image.title="matrix-appservice-sip" \
  org.opencontainers.image.description="A bridge between Matrix and the telephone network" \
  org.opencontainers.image.licenses="Apache-2.0" \
  org.opencontainers.image.version="0.1.0"
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json LICENSE ./
COPY config config
COPY deploy/container-entrypoint.sh deploy/container-health.mjs ./
# A volume that Docker creates belongs to the image's user. A relative database path starts in /data.
RUN mkdir /data && chown node:node /data
VOLUME /data
WORKDIR /data
EXPOSE 9993
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s CMD ["node", "/app/container-health.mjs", "/data/config.yaml"]
# Starts as root and becomes the owner of /data before the bridge runs.
ENTRYPOINT ["/app/container-entrypoint.sh"]
CMD ["-c", "/data/config.yaml", "-f", "/data/registration.yaml"]
