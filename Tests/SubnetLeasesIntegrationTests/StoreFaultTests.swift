import Addressing
import ClusterStore
import Foundation
import SubnetLeases
import Testing

/// Nodes that keep their leases while etcd is stopped, wiped, set back or compacted: every node ends with the subnet that
/// it had, and none ever loses sight of a peer that lives.
@Suite(.serialized, .enabled(if: EtcdProgram.isPossible, "needs etcd-server"), .timeLimit(.minutes(2)))
struct StoreFaultTests {
    private static let config = LeaseFaultTests.small

    /// Nodes that know each other.
    private func nodes(_ count: Int, _ store: EtcdStore, timeToLive: Duration = .seconds(600)) async throws
        -> [RunningNode]
    {
        var nodes: [RunningNode] = []
        for number in 0..<count {
            let held = try await LeaseFaultTests.source(store, timeToLive: timeToLive)
                .acquire(LeaseFaultTests.node(number), in: Self.config, previous: nil)
            nodes.append(RunningNode(held, store, Self.config, timeToLive: timeToLive))
        }
        let all = nodes
        try await eventually("a full mesh") { all.allSatisfy { $0.peers.count >= count - 1 } }
        for node in nodes { node.forgetLosses() }
        return nodes
    }

    /// Every node's lease stands in the store again, nobody moved and nobody was dropped.
    private func expectSame(_ nodes: [RunningNode], _ before: [Lease], _ store: EtcdStore) async throws {
        try await eventually("all leases stand again") {
            guard let owners = try? await LeaseFaultTests.owners(store) else { return false }
            return before.allSatisfy {
                owners["/net/subnets/" + Lease.keyName(of: $0.subnet)]
                    == String(decoding: $0.attributes.encoded, as: UTF8.self)
            }
        }
        #expect(nodes.map(\.lease) == before)
        #expect(nodes.allSatisfy { $0.lost.isEmpty }, "\(nodes.map(\.lost))")
    }

    @Test func anOutageLongerThanTheLeaseIsSleptThrough() async throws {
        let etcd = try EtcdProgram()
        try etcd.start()
        try await withClient([etcd.endpoint]) { store in
            let nodes = try await nodes(3, store, timeToLive: .seconds(2))
            defer { for node in nodes { node.stop() } }
            let before = nodes.map(\.lease)
            let connections = store.connectionsMade
            etcd.kill()
            try await eventually("each node misses its renewals") { nodes.allSatisfy { $0.failures >= 4 } }
            // The pauses double: whoever tries in a loop has thousands of attempts by now.
            #expect(nodes.allSatisfy { $0.failures < 40 }, "\(nodes.map(\.failures))")
            // The leases end while nobody can renew them.
            try etcd.wipe()
            try etcd.start()
            try await expectSame(nodes, before, store)
            #expect(store.connectionsMade < connections + 10)
        }
    }

    @Test func aWipedStoreGetsAllLeasesAgain() async throws {
        let etcd = try EtcdProgram()
        try etcd.start()
        try await withClient([etcd.endpoint]) { store in
            let nodes = try await nodes(5, store)
            defer { for node in nodes { node.stop() } }
            let before = nodes.map(\.lease)
            etcd.kill()
            try etcd.wipe()
            try etcd.start()
            try await expectSame(nodes, before, store)
        }
    }

    @Test func aStoreSetBackToAnOlderCopyGetsTheYoungerLeasesAgain() async throws {
        let etcd = try EtcdProgram()
        try etcd.start()
        try await withClient([etcd.endpoint]) { store in
            let early = try await LeaseFaultTests.source(store)
                .acquire(LeaseFaultTests.node(100), in: Self.config, previous: nil)
            etcd.kill()
            try FileManager.default.copyItem(atPath: etcd.data, toPath: etcd.directory + "/copy")
            try etcd.start()
            try await eventually("etcd is back") { (try? await store.range(RangeRequest(.key("absent")))) != nil }

            let first = RunningNode(early, store, Self.config)
            let others = try await nodes(3, store)
            let nodes = [first] + others
            defer { for node in nodes { node.stop() } }
            try await eventually("a full mesh") { nodes.allSatisfy { $0.peers.count == 3 } }
            for number in 0..<200 { try await store.put("/other", [UInt8(number)]) }
            for node in nodes { node.forgetLosses() }
            let before = nodes.map(\.lease)
            etcd.kill()
            try etcd.wipe()
            try FileManager.default.copyItem(atPath: etcd.directory + "/copy", toPath: etcd.data)
            try etcd.start()
            try await expectSame(nodes, before, store)
        }
    }

    @Test func compactionBehindAWatchThatWasCutOffIsListedOver() async throws {
        let etcd = try EtcdProgram()
        try etcd.start()
        try await withClient([etcd.endpoint]) { direct in
            let relay = try DelayRelay(to: etcd.port, delay: .milliseconds(100))
            try await withClient(["http://127.0.0.1:\(relay.port)"]) { store in
                // A tenth of a second each way: everything works, only slower.
                let nodes = try await nodes(3, store)
                defer { for node in nodes { node.stop() } }
                let before = nodes.map(\.lease)
                relay.cut()
                let joined = try await LeaseFaultTests.source(direct)
                    .acquire(LeaseFaultTests.node(50), in: Self.config, previous: nil)
                var last: Int64 = 0
                for number in 0..<300 { last = try await direct.put("/other", [UInt8(number & 255)]) }
                try await direct.compact(to: last)
                relay.mend()
                try await eventually("the newcomer is seen") {
                    nodes.allSatisfy { $0.peers.contains(joined.lease.subnet) }
                }
                try await expectSame(nodes, before, store)
            }
        }
    }
}
