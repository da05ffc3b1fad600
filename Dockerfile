ARG NODE_IMAGE=node:24-bookworm-slim
FROM ${NODE_IMAGE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY packages packages
COPY apps/console/package.json apps/console/
# No package that runs in production needs its install script. TypeScript comes along as a peer that only a compiler plugin uses, and
# the image has a Node.js of its own.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund && rm -rf node_modules/typescript node_modules/node-linux-* node_modules/@order-system && npm cache clean --force

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY packages packages
COPY apps apps
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json nest-cli.json ./
COPY src src
COPY migrations migrations
RUN node node_modules/@nestjs/cli/bin/nest.js build && node node_modules/vite/bin/vite.js build apps/console

FROM ${NODE_IMAGE}
ENV NODE_ENV=production HOST=0.0.0.0
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY --from=build /app/apps/console/package.json node_modules/@order-system/console/
COPY --from=build /app/apps/console/dist node_modules/@order-system/console/dist
COPY package.json ./
USER node
EXPOSE 8000 5555 9464
# For the API; docker-compose.yml has the worker's and the dashboard's.
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 8000}/api/v1/health`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--enable-source-maps", "--max-semi-space-size=16", "--heap-growing-percent=30", "dist/src/main.js"]
