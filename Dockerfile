# One image for API and worker processes: `docker run … api`, `docker run … worker`. See docs/deploy.md.
ARG NODE_IMAGE=node:22-bookworm-slim
ARG BASE_IMAGE=debian:bookworm-slim

# Compiles the service, and then keeps only the packages that it needs at run time.
FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY scripts ./scripts
COPY src ./src
COPY workers ./workers
RUN node scripts/setup.mjs --rebuild && npm prune --omit=dev --no-audit --no-fund

# Node without npm, and no compiler. tini is the first process: it removes the processes that programs leave.
FROM ${BASE_IMAGE}
RUN apt-get update \
  && apt-get install -y --no-install-recommends ca-certificates tini \
  && rm -rf /var/lib/apt/lists/* \
  && groupadd --system --gid 10001 uploads \
  && useradd --system --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin uploads \
  && install -d -o uploads -g uploads -m 0700 /data
COPY --from=build /usr/local/bin/node /usr/local/bin/node
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 METRICS_PORT=9464 STORAGE=file:/data/uploads
USER 10001
VOLUME /data
EXPOSE 3000 3001 9464
# An API process answers on PORT, a worker on METRICS_PORT.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "const check = (port) => fetch(`http://127.0.0.1:${port}/healthz`).then(({ ok }) => ok || Promise.reject()); Promise.any([check(process.env.PORT), check(process.env.METRICS_PORT)]).then(() => process.exit(0), () => process.exit(1))"]
ENTRYPOINT ["/usr/bin/tini", "--", "node", "/app/dist/scripts/cli.js"]
CMD ["api"]
