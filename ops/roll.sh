#!/usr/bin/env bash
# Brings the processes of ops/compose.yaml to a version, one after another, so that no request is lost: ops/roll.sh <version>.
# Going back is the same with the version that was there. Images are pulled where they are missing, and never built.
set -euo pipefail
cd "$(dirname "$0")"

version=${1:?usage: ops/roll.sh <version>}
[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || { echo "\"$version\" is no version: write one such as 0.1.0." >&2; exit 64; }
[ -f .env ] || { echo 'There is no ops/.env: copy ops/.env.example and fill it in.' >&2; exit 78; }

before=$(sed -n 's/^VERSION=//p' .env)
# What is exported goes before what ops/.env says.
export VERSION=$version

docker compose pull --quiet --policy missing migrate
docker compose run --rm --no-deps migrate
for process in app-1 app-2 worker; do
  docker compose up --detach --no-build --no-deps --wait --wait-timeout 60 "$process" || {
    echo "$process does not become ready as $version; those after it are still ${before:-as they were}. Go back: ops/roll.sh ${before:-<version>}" >&2
    exit 1
  }
done
sed -i "s/^VERSION=.*/VERSION=$version/" .env

# What stands around them: it is started anew where ops/compose.yaml says something else of it, and else reads its files anew.
docker compose up --detach --no-build --no-deps --wait --wait-timeout 120 \
  haproxy prometheus alertmanager blackbox-exporter node-exporter grafana || {
  echo "app-1, app-2 and worker are $version, but not all that stands around them is well: docker compose -f ops/compose.yaml ps" >&2
  exit 1
}
# From inside: what `docker kill` sends any signal to is not started again when it ends or the host restarts.
signal() { docker compose exec -T "$1" sh -c "kill -$2 1"; }
for name in prometheus alertmanager blackbox-exporter; do signal "$name" HUP; done
# What it can't read it would not take, and say so in its log alone.
docker compose exec -T haproxy haproxy -c -f /usr/local/etc/haproxy/haproxy.cfg
signal haproxy USR2
echo "app-1, app-2 and worker are $version (before: ${before:-unknown})."
