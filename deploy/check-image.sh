#!/bin/sh
# Builds the image with buildah, podman or docker, and checks its promises. test/integration/image.test.ts runs it if
# the base images are present:
#   deploy/check-image.sh [--build-arg NODE_IMAGE=… --build-arg BASE_IMAGE=…]
set -eu
cd "$(dirname "$0")/.."
tag=deferred-uploads-check

for builder in docker podman buildah; do
  command -v "$builder" >/dev/null && "$builder" images >/dev/null 2>&1 && break
  builder=
done
[ -n "$builder" ] || { echo 'no builder works: install docker, podman or buildah' >&2; exit 69; }
# The default format of podman and buildah has no health check.
export BUILDAH_FORMAT=docker
"$builder" build "$@" -t "$tag" .

if [ "$builder" = buildah ]; then
  container=$(buildah from "$tag")
  trap 'buildah rm "$container" >/dev/null' EXIT
  inside() { buildah run "$container" -- "$@"; }
else
  inside() { "$builder" run --rm --read-only --tmpfs /tmp --entrypoint '' "$tag" "$@"; }
fi

expect() {
  wanted=$1
  shift
  found=$("$@" 2>/dev/null) || true
  [ "$found" = "$wanted" ] || { echo "expected '$wanted', found '$found': $*" >&2; exit 1; }
}

expect checked sh -c '"$0" inspect --type image "$1" | grep -qi "\"healthcheck\": {" && echo checked' "$builder" "$tag"
expect 10001 inside id -u
expect '' inside sh -c 'command -v npm; command -v gcc; command -v make; command -v python3'
expect 'read-only' inside sh -c 'touch /app/x || echo read-only'
expect 'usage: npx deferred-uploads <command>' inside sh -c 'node /app/dist/scripts/cli.js --help | head -1'
# A process on a public address must know who may create uploads. Otherwise it ends with 78.
expect 78 inside sh -c '/usr/bin/tini -s -- node /app/dist/scripts/cli.js api; echo $?'
echo 'the image is fine'
