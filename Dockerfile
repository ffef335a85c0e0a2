# Two stages: the first compiles, the second holds only what runs.
#
#   docker build -t portcullis .
#   docker run -p 8080:8080 -e ORIGIN=http://app:3000 -v portcullis:/var/lib/portcullis portcullis
#
# A settings file is mounted at /etc/portcullis/portcullis.yaml.

FROM node:24-slim AS build
WORKDIR /opt/portcullis
COPY package.json package-lock.json .npmrc ./
# Not `npm ci`: the lock file leaves out the linters' binaries for other platforms, and `npm ci` would refuse it.
RUN npm install --no-save --include=dev --no-audit --no-fund --ignore-scripts
COPY . .
RUN npm run build && npm prune --omit=dev --no-save --ignore-scripts

FROM node:24-slim
ENV NODE_ENV=production
WORKDIR /opt/portcullis
COPY --from=build /opt/portcullis/package.json /opt/portcullis/LICENSE ./
COPY --from=build /opt/portcullis/node_modules ./node_modules
COPY --from=build /opt/portcullis/build ./build
COPY --from=build /opt/portcullis/bin ./bin
COPY --from=build /opt/portcullis/config ./config
COPY --from=build /opt/portcullis/detectors/rules ./detectors/rules
COPY --from=build /opt/portcullis/remediation/decider/default-profiles.yaml ./remediation/decider/default-profiles.yaml
# The sources of config/ are not needed beside build/; its schema and defaults are.
RUN rm -f config/*.ts \
  && ln -s /opt/portcullis/bin/portcullis.js /usr/local/bin/portcullis \
  && install -d -o node -g node /var/lib/portcullis /etc/portcullis
USER node
WORKDIR /etc/portcullis
VOLUME /var/lib/portcullis
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:9180/health').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["portcullis"]
CMD ["serve"]
