# The bundle is built with the lockfile's own Node and copied alone: no package manager, no shell in the image.
FROM node:26.10.0-bookworm-slim AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts && npm rebuild esbuild
COPY cmd cmd
COPY internal internal
COPY proto proto
COPY tsconfig.json ./
RUN npm run build

FROM gcr.io/distroless/nodejs26-debian12:nonroot
WORKDIR /app
COPY --from=build --chown=65532:65532 /src/dist ./
USER 65532
ENV NODE_ENV=production
EXPOSE 9191 9193
ENTRYPOINT ["/nodejs/bin/node", "cmd/postern/main.js"]
CMD ["serve"]
