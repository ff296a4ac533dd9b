import Foundation
import Testing

/// The whole story of `contrib/demo.sh` with either store, and what the programs say when something is not as it should
/// be. Needs root, the programs beside the test program (or in `FJORD_BINARIES`), and the images that
/// `contrib/images.sh` makes (in `FJORD_IMAGES`).
@Suite(.serialized, .enabled(if: geteuid() == 0, "needs root for namespaces and mounts"), .timeLimit(.minutes(10)))
struct StoryTests {
    /// Told with the machine's kubectl, and with Debian's of 2021 as the only one that is found.
    @Test(arguments: [("embedded", nil), ("etcd", Shell.oldKubectl)])
    func theStoryIsTrueAndLeavesNothingBehind(store: String, kubectl: String?) throws {
        if let kubectl { try #require(FileManager.default.isExecutableFile(atPath: kubectl), "\(kubectl) is missing") }
        _ = try Shell.run("fjord down; fjord hard-way down")
        let before = try Shell.machine()
        try Shell.succeed("contrib/demo.sh --without-build --store \(store)", kubectl: kubectl)
        // A second `up` finds it all there; what was killed is no obstacle for `down`.
        try Shell.succeed("fjord up --nodes 3 --store \(store) --images \"$FJORD_IMAGES\"")
        _ = try Shell.run("kill -9 $(ip netns pids fjord-node-2 | head -n 3)")
        try Shell.succeed("fjord down")
        try Shell.expectMachine(is: before)
        try Shell.succeed("fjord down")
    }

    /// Each in one line that says what to do, and a status that is not 0.
    @Test(arguments: [
        ("timeout 60 fjord apiserver --port=0 --etcd_servers=http://127.0.0.1:9", "etcd"),
        ("setpriv --reuid 65534 --clear-groups overlayd --etcd-endpoints http://127.0.0.1:9", "root"),
        ("setpriv --reuid 65534 --clear-groups fjord up", "root"),
        ("fjord kube-nothing", "kube-nothing"),
        ("bash -c 'exec -a kube-scheduler fjord --no_such_flag=1'", "no"),
        ("fjord up --portal-net 10.254.0.0/99", "--portal-net"),
    ])
    func faultsAreNamed(command: String, word: String) throws {
        let outcome = try Shell.run(command)
        #expect(outcome.status != 0)
        #expect(outcome.output.contains(word), "\(outcome.output)")
        #expect(outcome.output.split(separator: "\n").count <= 4, "\(outcome.output)")
    }
}
