#!/bin/sh
# Runs the bridge as whoever owns /data, so that it can read its files and write its database there, and nobody else's.
set -eu
owner=$(stat -c %u /data)
group=$(stat -c %g /data)
if [ "$(id -u)" -ne 0 ]; then
  exec node /app/dist/main.js "$@"
fi
if [ "$owner" -eq 0 ]; then
  echo "the folder mounted at /data belongs to root: chown it to the user that the bridge should run as, such as 1000:1000" >&2
  exit 3
fi
exec setpriv --reuid "$owner" --regid "$group" --clear-groups --no-new-privs -- node /app/dist/main.js "$@"
