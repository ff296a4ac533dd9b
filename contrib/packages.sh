# Sourced by demo.sh and test.sh: installs the Debian packages that are missing, and knows where things are.

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
scratch=${FJORD_SCRATCH:-$project/.build}

# What the programs link against, and what they run: engine, network plugins, store, registry, tools of the tests.
packages=(
    libsqlite3-dev libpcap-dev libnftables-dev libbpf-dev zlib1g-dev pkg-config
    containerd runc crun containernetworking-plugins etcd-server etcd-client docker-registry
    busybox-static nftables iptables conntrack iproute2 iputils-ping procps util-linux curl ca-certificates iperf3 ethtool
    socat openssl tini tcpdump systemd python3-minimal
)

fail() {
    printf '\n%s\n' "$*" >&2
    exit 1
}

install_packages() {
    local missing=() package
    [ "$(id -u)" = 0 ] || fail "This needs root: namespaces, TUN devices and containers are made. Run it with sudo."
    command -v swift >/dev/null || fail "There is no swift on this machine: install Swift 6.2 or later and put it on the PATH."
    for package in "${packages[@]}"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
    done
    command -v kubectl >/dev/null || missing+=(kubernetes-client)
    [ ${#missing[@]} = 0 ] && return
    echo "Installing ${missing[*]}"
    # Daemons that come with packages stay stopped: a policy of ours answers for as long as this lasts.
    local policy=/usr/sbin/policy-rc.d made=
    [ -e "$policy" ] || { printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy" && made=1; }
    apt-get update -qq &&
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null ||
        { [ -z "$made" ] || rm -f "$policy"; fail "apt-get could not install them; its messages are above."; }
    [ -z "$made" ] || rm -f "$policy"
}
