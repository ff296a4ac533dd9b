#!/usr/bin/env bash
# Builds small images (nginx, redis, python, busybox, pause) from Debian packages and puts them into the storage of a
# docker-registry, so that a cluster without a way out can pull them by their usual names.
#
#   contrib/images.sh DIRECTORY
#
# DIRECTORY becomes a registry's `rootdirectory`, and a configuration for it is written to DIRECTORY/config.yml.
# A directory that is complete is left as it is. Needs root for apt's cache, docker-registry, curl.
set -euo pipefail

storage=${1:?usage: contrib/images.sh DIRECTORY}
version=1 # raised when an image changes, so that old directories are built anew
[ "$(cat "$storage/complete" 2>/dev/null)" = "$version" ] && exit 0

work=$(mktemp -d)
registry_pid=
cleanup() {
    [ -z "$registry_pid" ] || kill "$registry_pid" 2>/dev/null || true
    rm -rf "$work"
}
trap cleanup EXIT
say() { printf '    %s\n' "$*" >&2; }

# A registry on a loopback port of its own, only to be filled.
rm -rf "$storage"
mkdir -p "$storage" "$work/deb" "$work/blob"
port=$((20000 + $$ % 10000))
config() {
    printf 'version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\nstorage:\n  filesystem: {rootdirectory: %s}\n' "$storage"
    printf 'http: {addr: "%s"}\n' "$1"
}
config "127.0.0.1:$port" >"$work/config.yml"
docker-registry serve "$work/config.yml" >"$work/registry.log" 2>&1 &
registry_pid=$!
for _ in $(seq 100); do curl -fs "http://127.0.0.1:$port/v2/" >/dev/null && break; sleep 0.1; done
curl -fs "http://127.0.0.1:$port/v2/" >/dev/null || { cat "$work/registry.log" >&2; exit 1; }

# unpack ROOT PACKAGE...: the packages' files, without their documentation.
unpack() {
    local root=$1 package
    shift
    mkdir -p "$root"
    for package; do
        ls "$work/deb/$package"_*.deb >/dev/null 2>&1 || (cd "$work/deb" && apt-get -o APT::Sandbox::User=root download -qq "$package" >/dev/null)
        dpkg-deb -x "$work/deb/$package"_*.deb "$root"
    done
    rm -rf "$root/usr/share/doc" "$root/usr/share/man" "$root/usr/share/locale" "$root/usr/share/lintian"
    mkdir -p "$root"/{etc,tmp,run,proc,sys,dev,root,var/log}
    chmod 1777 "$root/tmp"
    printf 'root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33::/var/www:/bin/false\nredis:x:101:101::/data:/bin/false\nnobody:x:65534:65534::/:/bin/false\n' >"$root/etc/passwd"
    printf 'root:x:0:\nwww-data:x:33:\nredis:x:101:\nnogroup:x:65534:\n' >"$root/etc/group"
    printf 'hosts: files dns\n' >"$root/etc/nsswitch.conf"
}

# busybox ROOT: a shell and the usual tools beside what the image is for.
busybox() {
    local applet
    unpack "$1" busybox-static
    for applet in $("$1/bin/busybox" --list); do
        [ -e "$1/bin/$applet" ] || [ -e "$1/usr/bin/$applet" ] || ln -s busybox "$1/bin/$applet"
    done
}

blob() { # blob REPOSITORY FILE: uploads it, prints its digest
    local digest location
    digest=sha256:$(sha256sum "$2" | cut -d' ' -f1)
    location=$(curl -fsS -X POST -D - -o /dev/null "http://127.0.0.1:$port/v2/$1/blobs/uploads/" | tr -d '\r' | sed -n 's/^[Ll]ocation: //p')
    curl -fsS -X PUT -H 'Content-Type: application/octet-stream' --data-binary @"$2" "$location&digest=$digest" >/dev/null
    printf '%s' "$digest"
}

# image ROOT CONFIG REPOSITORY TAG...: one layer, pushed under every tag.
image() {
    local root=$1 config=$2 repository=$3 layer layer_digest diff architecture config_digest tag
    shift 3
    layer=$work/blob/layer
    architecture=$(dpkg --print-architecture)
    tar -C "$root" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf "$layer" .
    diff=sha256:$(sha256sum "$layer" | cut -d' ' -f1)
    gzip -1 -n -f "$layer"
    layer_digest=$(blob "$repository" "$layer.gz")
    printf '{"architecture":"%s","os":"linux","config":%s,"rootfs":{"type":"layers","diff_ids":["%s"]}}' \
        "$architecture" "$config" "$diff" >"$work/blob/config"
    config_digest=$(blob "$repository" "$work/blob/config")
    printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"%s","size":%d},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"%s","size":%d}]}' \
        "$config_digest" "$(stat -c %s "$work/blob/config")" "$layer_digest" "$(stat -c %s "$layer.gz")" >"$work/blob/manifest"
    for tag; do
        curl -fsS -X PUT -H 'Content-Type: application/vnd.oci.image.manifest.v1+json' \
            --data-binary @"$work/blob/manifest" "http://127.0.0.1:$port/v2/$repository/manifests/$tag" >/dev/null
    done
    say "$repository: $(du -sh "$root" | cut -f1)"
}
path='"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]'

busybox "$work/busybox"
image "$work/busybox" "{$path,\"Cmd\":[\"sh\"]}" library/busybox latest 1 1.35

# The container that holds a pod's namespaces: it only has to sleep, and to end when told.
mkdir -p "$work/pause/bin"
cp "$work/busybox/bin/busybox" "$work/pause/bin/busybox"
printf '#!/bin/busybox sh\ntrap "exit 0" TERM INT\nwhile :; do /bin/busybox sleep 2147483 & wait $!; done\n' >"$work/pause/pause"
chmod +x "$work/pause/pause"
for repository in pause library/pause kubernetes/pause; do
    image "$work/pause" '{"Entrypoint":["/pause"]}' "$repository" latest 3.9 3.6 1
done

nginx=$work/nginx
busybox "$nginx"
unpack "$nginx" libc6 nginx nginx-common libpcre2-8-0 libssl3 zlib1g libcrypt1
mkdir -p "$nginx"/var/log/nginx "$nginx"/var/lib/nginx "$nginx"/etc/nginx
rm -rf "$nginx"/etc/nginx/{modules-enabled,sites-enabled}
cat >"$nginx/etc/nginx/nginx.conf" <<'CONF'
user www-data;
worker_processes 1;
error_log /dev/stderr;
events { worker_connections 512; }
http {
    include /etc/nginx/mime.types;
    access_log /dev/stdout;
    server { listen 80; root /usr/share/nginx/html; index index.html; }
}
CONF
image "$nginx" "{$path,\"Cmd\":[\"nginx\",\"-g\",\"daemon off;\"],\"StopSignal\":\"SIGQUIT\",\"ExposedPorts\":{\"80/tcp\":{}}}" \
    library/nginx latest 1.22

redis=$work/redis
busybox "$redis"
unpack "$redis" libc6 redis-server redis-tools libatomic1 libhiredis0.14 libjemalloc2 liblua5.1-0 liblzf1 libssl3 \
    libsystemd0 libcap2 libgcrypt20 libgpg-error0 liblz4-1 liblzma5 libzstd1 libstdc++6 libgcc-s1 lua-bitop lua-cjson
mkdir -p "$redis/data"
image "$redis" "{$path,\"Cmd\":[\"redis-server\",\"--protected-mode\",\"no\",\"--dir\",\"/data\",\"--save\",\"\"],\"WorkingDir\":\"/data\",\"ExposedPorts\":{\"6379/tcp\":{}}}" \
    library/redis latest 7.0

python=$work/python
busybox "$python"
unpack "$python" libc6 python3.11-minimal libpython3.11-minimal libpython3.11-stdlib libexpat1 zlib1g libssl3 libffi8 \
    libbz2-1.0 liblzma5 libuuid1 libcrypt1 libgcc-s1
ln -sf python3.11 "$python/usr/bin/python3"
ln -sf python3.11 "$python/usr/bin/python"
image "$python" "{$path,\"Cmd\":[\"python3\"]}" library/python latest 3 3.11

config ":5000" >"$storage/config.yml"
echo "$version" >"$storage/complete"
