#!/bin/sh
# Makes secrets and configuration under data/, once: what is there stays. docs/deploy/compose.md says what comes before and after.
set -eu
cd "$(dirname "$0")"
if [ ! -e .env ]; then
  echo "copy .env.example to .env and change it" >&2
  exit 1
fi
. ./.env
umask 077
if [ "$OWNER_UID" -eq 0 ]; then
  echo "OWNER_UID in .env is root: the bridge and Synapse should run as another user" >&2
  exit 1
fi
if [ "$(id -u)" -ne 0 ] && [ "$(id -u)" -ne "$OWNER_UID" ]; then
  echo "OWNER_UID in .env is $OWNER_UID, but you are $(id -u)" >&2
  exit 1
fi

secret() {
  od -An -N24 -tx1 /dev/urandom | tr -d ' \n'
}

mkdir -p data/bridge data/synapse
[ -e data/postgres-password ] || secret >data/postgres-password
printf '127.0.0.1:5432:synapse:synapse:%s\n' "$(cat data/postgres-password)" >data/pgpass
own() {
  [ "$(id -u)" -ne 0 ] || chown -R "$OWNER_UID:$OWNER_GID" data
}
own

docker compose build bridge
if [ ! -e data/bridge/config.yaml ]; then
  # It prints what is left to do by hand elsewhere: here this script does it.
  docker compose run --rm --no-deps bridge -c /data/config.yaml -f /data/registration.yaml init --yes \
    --homeserver synapse --homeserver-url http://127.0.0.1:8008 --domain "$DOMAIN" --appservice-url http://127.0.0.1:9993 \
    --country "$COUNTRY" --trunk asterisk --server 127.0.0.1:5060 --address 127.0.0.1 \
    --ring "$NUMBER=$RING" --allow "$ALLOW" >/dev/null
fi
# Asterisk in its container is another user. data/ keeps others on this machine out.
for name in pjsip.conf extensions.conf; do
  [ ! -e "data/$name" ] || continue
  sed -e "s/@PASSWORD@/$(cat data/bridge/asterisk-password)/" -e "s/@NUMBER@/$NUMBER/" "asterisk/$name" >"data/$name"
  chmod 644 "data/$name"
done
own
docker compose run --rm --no-deps bridge --check -c /data/config.yaml -f /data/registration.yaml
[ -e data/synapse/homeserver.yaml ] || docker compose run --rm --no-deps synapse generate

echo "Now: docker compose up -d"
