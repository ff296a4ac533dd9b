import Foundation
import Testing

/// `fjord up` on machines that lack something: each finding is named with what to do about it, and nothing is made.
/// The machine is this one, seen through mounts that take away or mark what a row is about.
@Suite(.serialized, .enabled(if: geteuid() == 0, "needs root for namespaces and mounts"), .timeLimit(.minutes(2)))
struct PreflightTests {
    @Test(arguments: [
        ("mount -t tmpfs none /dev/net", ["/dev/net/tun is missing", "modprobe tun"]),
        ("mount --bind /dev/null $(command -v nft)", ["missing: nft", "apt-get install", "nftables"]),
        (
            "mount --bind /dev/null /usr/bin/containerd; mount -t tmpfs none /usr/lib/cni",
            ["missing: containerd, the CNI plugins", "containerd containernetworking-plugins"]
        ),
        ("for m in $(findmnt -rno TARGET -R /sys/fs/cgroup); do mount -o remount,bind,ro $m; done", ["is read-only"]),
        // A container shows where something is missing, and is called by its name.
        (
            "mount -t tmpfs none /dev/net; export container=lxc; again=1",
            ["this is an LXC container", "nesting", "/dev/net/tun is missing"]
        ),
    ])
    func whatIsMissingIsNamedAndNothingIsMade(change: String, words: [String]) throws {
        // A row that sets `again` runs it as the first process of a PID namespace, as a container's is.
        let outcome = try Shell.run(
            """
            unshare --mount bash -c '
                \(change)
                up="fjord up --name preflight --nodes 1 --images $FJORD_IMAGES"
                if [ -n "$again" ]; then exec unshare --pid --fork --mount-proc bash -c "$up"; else $up; fi'
            """, limit: 60)
        #expect(outcome.status != 0)
        for word in words { #expect(outcome.output.contains(word), "\(outcome.output)") }
        #expect(!FileManager.default.fileExists(atPath: "/var/lib/fjord/preflight"))
    }

    @Test(arguments: [
        ("--lan 127.0.0.0/24", "--lan 127.0.0.0/24 overlaps 127.0.0.0/8, which is for loopback"),
        ("--lan 10.230.0.0/29", "too small"),
        ("--pod-network 10.240.0.0/16", "--lan 10.240.0.0/24 and --pod-network 10.240.0.0/16 overlap"),
        ("--portal-net 10.244.0.0/24", "overlap"),
        ("--images /nowhere", "contrib/images.sh"),
    ])
    func rangesAndFilesThatCannotBeUsedAreNamed(options: String, words: String) throws {
        let outcome = try Shell.run("fjord up --name preflight --nodes 3 --images $FJORD_IMAGES \(options)", limit: 60)
        #expect(outcome.status != 0)
        #expect(outcome.output.contains(words), "\(outcome.output)")
        #expect(!FileManager.default.fileExists(atPath: "/var/lib/fjord/preflight"))
    }

    @Test func aNamespaceOfSomebodyElseIsNotTouched() throws {
        try Shell.succeed("ip netns add preflight-node-1")
        defer { _ = try? Shell.run("ip netns delete preflight-node-1") }
        let outcome = try Shell.run("fjord up --name preflight --nodes 1 --images $FJORD_IMAGES", limit: 60)
        #expect(outcome.status != 0)
        #expect(outcome.output.contains("a network namespace preflight-node-1 exists and is not ours"))
        try Shell.succeed("ip netns list | grep -q preflight-node-1")
    }
}
