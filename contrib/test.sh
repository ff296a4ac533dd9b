#!/usr/bin/env bash
# Installs what is missing, builds, and runs every test. Needs root, Debian 12 and Swift.
#
#   contrib/test.sh              everything, with the long-running tests kept short
#   FJORD_LONG=1 contrib/test.sh  at full length
set -euo pipefail
. "$(dirname "$0")/packages.sh"

install_packages
cd "$project"

echo "Formatting"
swift format lint --strict --parallel --recursive --configuration contrib/swift-format.json \
    $(git ls-files -co --exclude-standard '*.swift' | grep -v /Generated/)
contrib/systemd/verify

echo "Building"
swift build -c release --scratch-path "$scratch" --build-tests
export FJORD_BINARIES=$scratch/release FJORD_IMAGES=${FJORD_IMAGES:-/var/cache/fjord/images}
contrib/images.sh "$FJORD_IMAGES"
# Debian's kubectl 1.20 beside whichever is installed.
old=/var/cache/fjord/kubernetes-client
if [ ! -x $old/usr/bin/kubectl ]; then
    mkdir -p $old
    (cd $old && apt-get -o APT::Sandbox::User=root download -qq kubernetes-client && dpkg-deb -x ./*.deb . && rm ./*.deb)
fi
export FJORD_OLD_KUBECTL=$old/usr/bin/kubectl

# Tests must not reach anything by the host's own routes: the clusters' ranges lead nowhere while no cluster is up.
for range in 10.240.0.0/24 10.242.0.0/24 10.244.0.0/16 10.245.0.0/16 10.253.0.0/16 10.254.0.0/16 192.168.1.0/24; do
    ip route show "$range" | grep -q . || ip route add unreachable "$range"
done

echo "Testing without privileges"
swift test -c release --scratch-path "$scratch" --skip-build --skip IntegrationTests
echo "Testing with namespaces, containers and real programs"
# A process for each target, so that none meets what another has left, and none can hold the rest up.
failed=()
for target in Tests/*IntegrationTests; do
    target=${target#Tests/}
    echo "$target"
    timeout --kill-after=30 1200 swift test -c release --scratch-path "$scratch" --skip-build --no-parallel \
        --filter "^$target\." || failed+=("$target")
    # Some programs replace the file that they are told to write; without its null device no container starts.
    [ -c /dev/null ] || { rm -f /dev/null && mknod -m 666 /dev/null c 1 3 && echo "/dev/null had become a file"; }
done
[ ${#failed[@]} = 0 ] || fail "These failed, or took longer than 20 minutes: ${failed[*]}"
