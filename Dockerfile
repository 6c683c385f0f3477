# Targets: `service` (the last, so the default) runs the service, `operators` runs `npm run ops` with pg_dump and pg_restore at hand.

FROM node:24.21.0-trixie-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --omit=optional \
    && npm sbom --sbom-format cyclonedx --sbom-type application --package-lock-only > sbom.cdx.json
# What no running process reads: source maps, declarations, sources and builds of SQLite for other systems.
RUN find node_modules -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' \) -delete \
    && rm -r node_modules/better-sqlite3/deps node_modules/better-sqlite3/src \
    && find node_modules/better-sqlite3/prebuilds -type f ! -name 'linux-*' -delete

FROM node:24.21.0-trixie-slim AS runtime
LABEL org.opencontainers.image.title="Effect Models" \
      org.opencontainers.image.description="One catalogue of AI models that can be trusted" \
      org.opencontainers.image.url="https://effectmodels.com" \
      org.opencontainers.image.licenses="MIT"
# The only folder that is written to, by whichever user a platform starts the container as.
RUN mkdir --mode=1777 /data
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json LICENSE NOTICE ./
COPY --from=dependencies /app/sbom.cdx.json ./sbom.cdx.json
COPY openapi ./openapi
COPY contracts ./contracts
COPY migrations ./migrations
COPY sync ./sync
COPY server ./server
COPY ops ./ops
ENV NODE_ENV=production \
    DATABASE_URL=file:/data/effect-models.db \
    BACKUP_DIR=/data/backups \
    INCIDENTS_DIR=/data/incidents
VOLUME ["/data"]

# pg_dump of Debian 13 reads servers up to Postgres 17.
FROM runtime AS operators
RUN apt-get update \
    && apt-get install --yes --no-install-recommends postgresql-client-17 \
    && rm -rf /var/lib/apt/lists/*
# The user `node`, by number: Kubernetes checks numbers alone.
USER 1000:1000
ENTRYPOINT ["node", "ops/main.ts"]
CMD ["help"]

FROM runtime AS service
USER 1000:1000
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
  CMD ["node", "--eval", "fetch('http://127.0.0.1:' + (process.env.PORT || 3000) + '/health/live').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "server/main.ts", "start"]
