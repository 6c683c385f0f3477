#!/usr/bin/env bash
# Builds the images of a version and pushes them: ops/push-image.sh <version>. A version is pushed once, from one commit: what was tried in
# staging is what production gets.
set -euo pipefail
cd "$(dirname "$0")/.."

version=${1:?usage: ops/push-image.sh <version>}
[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || { echo "\"$version\" is no version: write one such as 0.1.0." >&2; exit 64; }
: "${IMAGE:?set it to the image with its registry and without a tag}" "${REVISION:?set it to the commit}"

said=$(mktemp)
trap 'rm -f "$said"' EXIT
for target in service operators; do
  image=$IMAGE
  if [ "$target" = operators ]; then image=$IMAGE-operators; fi
  if found=$(docker buildx imagetools inspect "$image:$version" --format '{{json .Image}}' 2>"$said"); then
    from=$(jq --raw-output '[.. | objects | .Labels? // empty | .["org.opencontainers.image.revision"] // empty] | first // "another commit"' <<<"$found")
    if [ "$from" = "$REVISION" ]; then
      echo "$image:$version is there already, of this commit."
      continue
    fi
    echo "$image:$version is there already, of $from: release another version (npm run release -- patch)." >&2
    exit 1
  fi
  # Whatever else went wrong, the image may be there.
  grep --quiet --extended-regexp --ignore-case 'not found|(manifest|name) unknown|does not exist' "$said" || {
    cat "$said" >&2
    echo "It can't be seen whether $image:$version is there already: nothing was pushed in its place." >&2
    exit 1
  }
  docker build --target "$target" --tag "$image:$version" \
    --label "org.opencontainers.image.version=$version" \
    --label "org.opencontainers.image.revision=$REVISION" .
  docker push "$image:$version"
done
