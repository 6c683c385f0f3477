#!/usr/bin/env bash
# Brings a version to the platform that PLATFORM names: ops/deploy.sh <version>. Going back is the same with what was there.
# What each platform needs to know is in ops/DEPLOYMENT.md.
set -euo pipefail

version=${1:?usage: ops/deploy.sh <version>}
[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || { echo "\"$version\" is no version: write one such as 0.1.0." >&2; exit 64; }

case "${PLATFORM:-}" in
  compose)
    : "${DEPLOY_HOST:?set it to user@host}" "${DEPLOY_FOLDER:?set it to the checkout on the host}" "${DEPLOY_KEY:?}" "${DEPLOY_KNOWN_HOSTS:?}"
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    (umask 077 && printf '%s\n' "$DEPLOY_KEY" >"$folder/key" && printf '%s\n' "$DEPLOY_KNOWN_HOSTS" >"$folder/hosts")
    # What stands around the image goes with it: as it was tagged, or as it is here while the version has no tag yet.
    revision=$(git rev-parse --verify --quiet "v$version^{commit}" || true)
    if [ -z "$revision" ] && [ "$(jq --raw-output .version package.json)" = "$version" ]; then revision=$(git rev-parse HEAD); fi
    steps=$(printf 'cd %q' "$DEPLOY_FOLDER")
    if [ -n "$revision" ]; then
      steps+=" && git fetch --quiet --tags origin $revision && git checkout --quiet --detach $revision"
    else
      echo "There is no tag v$version: what stands around the image stays as it is." >&2
    fi
    ssh -i "$folder/key" -o UserKnownHostsFile="$folder/hosts" -o StrictHostKeyChecking=yes "$DEPLOY_HOST" "$steps && ops/roll.sh $version"
    ;;
  fly)
    : "${FLY_APP:?set it to the name of the app}" "${FLY_API_TOKEN:?}" "${IMAGE:?}"
    docker run --rm --env FLY_API_TOKEN flyio/flyctl:v0.4.101 \
      deploy --app "$FLY_APP" --image "$IMAGE:$version" --strategy rolling --wait-timeout 2m
    ;;
  railway)
    : "${RAILWAY_SERVICES:?set it to the names of the services}" "${RAILWAY_TOKEN:?}"
    # Railway builds the Dockerfile of a folder: of this checkout, or of an earlier version as it was tagged.
    folder=.
    if [ "$(jq --raw-output .version package.json)" != "$version" ]; then
      folder=$(mktemp -d)/effect-models
      git worktree add --detach "$folder" "v$version"
      trap 'git worktree remove --force "$folder"' EXIT
    fi
    for service in $RAILWAY_SERVICES; do
      # It fetches its program when it is installed, which .npmrc would keep it from.
      (cd "$folder" && npm_config_ignore_scripts=false npx --yes @railway/cli@5.63.1 up --ci --service "$service")
    done
    ;;
  digitalocean)
    : "${DIGITALOCEAN_APP:?set it to the id of the app}" "${DIGITALOCEAN_ACCESS_TOKEN:?}"
    doctl() { docker run --rm --interactive --env DIGITALOCEAN_ACCESS_TOKEN digitalocean/doctl:1.155.0 "$@"; }
    doctl apps spec get "$DIGITALOCEAN_APP" --format json |
      jq --arg tag "$version" '(.services, .workers, .jobs | arrays)[].image.tag = $tag' |
      doctl apps update "$DIGITALOCEAN_APP" --spec - --wait
    ;;
  *)
    echo "PLATFORM is \"${PLATFORM:-}\": set it to compose, fly, railway or digitalocean." >&2
    exit 64
    ;;
esac
