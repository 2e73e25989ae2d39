# Build: docker build -t matrix-appservice-sip .
# Run:   docker run --network host -v /etc/matrix-appservice-sip:/data matrix-appservice-sip
# The bridge runs as the owner of the folder mounted at /data: chown -R 1000:1000 /etc/matrix-appservice-sip
# It uses the host's network because SIP and RTP contain addresses and need a range of UDP ports.
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY src src
RUN npm run build && npm prune --omit=dev

FROM node:24-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json LICENSE ./
COPY config config
COPY deploy/container-entrypoint.sh ./
# A volume that Docker creates belongs to the image's user. A relative database path starts in /data.
RUN mkdir /data && chown node:node /data
VOLUME /data
WORKDIR /data
EXPOSE 9993
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:9994/health').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Starts as root and becomes the owner of /data before the bridge runs.
ENTRYPOINT ["/app/container-entrypoint.sh"]
CMD ["-c", "/data/config.yaml", "-f", "/data/registration.yaml"]
