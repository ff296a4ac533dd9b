import Foundation
import Testing

/// Clusters beside each other on one host, each with ranges of its own: what one of them does, or its end, is nothing to
/// the other.
@Suite(.serialized, .enabled(if: geteuid() == 0, "needs root for namespaces and mounts"), .timeLimit(.minutes(5)))
struct SeveralClustersTests {
    private struct Cluster {
        var name: String
        var ranges: String
        var node: String

        /// With a way out through the host, which is what clusters share: forwarding.
        func up() throws {
            try Shell.succeed("fjord up --name \(name) --nodes 1 --uplink --images \"$FJORD_IMAGES\" \(ranges)")
        }

        func down() throws { try Shell.succeed("fjord down --name \(name)") }

        func kubectl(_ arguments: String) -> String {
            "kubectl --kubeconfig /var/lib/fjord/\(name)/admin.kubeconfig \(arguments)"
        }

        func runWeb() throws {
            try Shell.succeed(kubectl("create -f contrib/examples/nginx-pod.json"))
        }

        /// All of it works: the machines are on, the node is Ready, its pod answers on the node's port.
        func expectWhole(sourceLocation: SourceLocation = #_sourceLocation) throws {
            try Shell.succeed(
                """
                for i in $(seq 240); do
                    fjord status --name \(name) && curl -fsS -m 2 http://\(node):8080/ | grep 'Welcome to nginx' && exit 0
                    sleep 0.25
                done
                exit 1
                """, sourceLocation: sourceLocation)
        }
    }

    @Test func eitherOfTwoGoesAndLeavesTheOtherWhole() throws {
        let first = Cluster(name: "fjord", ranges: "", node: "10.240.0.11")
        let second = Cluster(
            name: "second", ranges: "--lan 10.242.0.0/24 --pod-network 10.245.0.0/16 --portal-net 10.253.0.0/16",
            node: "10.242.0.11")
        _ = try Shell.run("fjord down; fjord down --name second")
        let forwarding = try Shell.succeed("sysctl -n net.ipv4.ip_forward").trimmingCharacters(
            in: .whitespacesAndNewlines)
        defer { _ = try? Shell.run("sysctl -qw net.ipv4.ip_forward=\(forwarding)") }
        try Shell.succeed("sysctl -qw net.ipv4.ip_forward=0")
        let before = try Shell.machine()
        defer { _ = try? Shell.run("fjord down; fjord down --name second") }
        func expectForwarding(_ value: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
            #expect(try Shell.succeed("sysctl -n net.ipv4.ip_forward") == value + "\n", sourceLocation: sourceLocation)
        }

        try first.up()
        try second.up()
        for cluster in [first, second] { try cluster.runWeb() }
        for cluster in [first, second] { try cluster.expectWhole() }
        // The older one goes first, comes back, and then sees the younger one go.
        try first.down()
        try expectForwarding("1")
        try second.expectWhole()
        try first.up()
        try first.runWeb()
        try second.down()
        try expectForwarding("1")
        try first.expectWhole()
        try first.down()
        try expectForwarding("0")
        try Shell.expectMachine(is: before)
    }

    @Test func aSecondOneInTheWayOfTheFirstIsRefusedByName() throws {
        _ = try Shell.run("fjord down")
        defer { _ = try? Shell.run("fjord down") }
        try Shell.succeed("fjord up --nodes 0 --images \"$FJORD_IMAGES\"")
        let outcome = try Shell.run("fjord up --name second --nodes 0 --images \"$FJORD_IMAGES\"")
        #expect(outcome.status != 0)
        #expect(outcome.output.contains("--lan 10.240.0.0/24 overlaps the host's route"), "\(outcome.output)")
        #expect(!FileManager.default.fileExists(atPath: "/var/lib/fjord/second"))
    }
}
