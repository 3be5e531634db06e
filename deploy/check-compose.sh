#!/bin/sh
# Runs compose.yaml under a project name of its own, and checks what docs/deploy.md promises. Takes a minute, needs port
# 8080, and removes its containers and volumes at the end, so it is no test:
#   deploy/check-compose.sh
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
base=http://127.0.0.1:8080

compose() { docker compose -p uploads-check "$@"; }
quietly() { "$@" >"$work/log" 2>&1 || { cat "$work/log" >&2; fail "$*"; }; }
fail() { echo "failed: $*" >&2; exit 1; }
clean() {
  compose down --volumes >/dev/null 2>&1 || true
  rm -r "$work"
}
trap clean EXIT

expect() {
  wanted=$1
  shift
  found=$("$@") || true
  [ "$found" = "$wanted" ] || fail "expected '$wanted', found '$found': $*"
}
member() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }
status_of() { curl -s -o "$work/body" -w '%{http_code}' "$@"; }

quietly compose up --build --wait

printf 'name,age\nAda,36\n' >"$work/people.csv"
expect 200 status_of -T "$work/people.csv" "$base/uploads/$(cat /proc/sys/kernel/random/uuid)?timeout=20000"
self=$(grep -o '"self":"[^"]*"' "$work/body" | head -1 | member self)
expect completed sh -c "grep -o '\"state\":\"[^\"]*\"' '$work/body' | head -1 | cut -d'\"' -f4"
for port in 3000 3001 6379 9464; do
  ! curl -s -m 2 -o /dev/null "http://127.0.0.1:$port/" || fail "port $port is public"
done

quietly compose up -d --wait --scale worker=3
expect 3 sh -c 'docker ps -q --filter label=com.docker.compose.project=uploads-check \
  --filter label=com.docker.compose.service=worker --filter health=healthy | wc -l'

quietly compose stop
for container in $(compose ps -aq); do
  expect 0 docker inspect -f '{{.State.ExitCode}}' "$container"
done
quietly compose down
expect '' compose ps -aq

quietly compose up -d --wait
expect 200 status_of "$base$self/content"
cmp "$work/body" "$work/people.csv" || fail 'the file is another one after a restart'
echo 'compose.yaml is fine'
