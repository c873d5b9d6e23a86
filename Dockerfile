# The program in a small image, without root. It always listens on 4600; the host's port is compose's concern.
FROM rust:1.95-slim-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY . .
RUN cargo build --profile dist --locked --package order-manager --bin order-manager

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates curl \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /var/lib/order-manager --create-home order-manager
COPY --from=build /build/target/dist/order-manager /usr/local/bin/order-manager
USER order-manager
WORKDIR /var/lib/order-manager
ENV ORDERMANAGER_HOST=0.0.0.0 ORDERMANAGER_PORT=4600
EXPOSE 4600
# The service answers 200 as soon as it lives; whether it can work is /ready, and no reason to restart it.
HEALTHCHECK --interval=30s --timeout=10s --retries=3 --start-period=40s \
    CMD ["curl", "--fail", "--silent", "--show-error", "http://localhost:4600/live"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["order-manager"]
CMD ["serve"]
