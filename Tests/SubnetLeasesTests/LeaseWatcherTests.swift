import Addressing
import ClusterStore
import SubnetLeases
import Testing

private let prefix = "/net/subnets/"
private let own = Lease(
    subnet: IPv4Prefix(IPv4Address(10, 244, 1, 0), length: 24),
    attributes: LeaseAttributes(publicIP: IPv4Address(192, 0, 2, 1)))
private let config = NetworkConfig(
    network: IPv4Prefix(IPv4Address(10, 244, 0, 0), length: 16), subnetLength: 24,
    subnetMin: IPv4Address(10, 244, 1, 0),
    subnetMax: IPv4Address(10, 244, 255, 0))

private func entry(_ name: String, _ value: String, _ revision: Int64) -> KeyValue {
    KeyValue(
        key: Array((prefix + name).utf8), value: Array(value.utf8), createRevision: revision, modRevision: revision,
        version: 1)
}

private func list(_ revision: Int64, _ entries: [KeyValue]) -> RangeResponse {
    RangeResponse(revision: revision, keyValues: entries, count: Int64(entries.count), more: false)
}

private func udp(_ host: UInt8) -> String { #"{"PublicIP":"192.0.2.\#(host)","PublicIPv6":null}"# }

@Suite struct LeaseWatcherTests {
    @Test func listsFirstAndWatchesBehindTheList() {
        var watcher = LeaseWatcher(prefix: prefix, own: own, config: config)
        #expect(watcher.next == .list)
        watcher.listed(list(7, [entry("10.244.1.0-24", udp(1), 3), entry("10.244.2.0-24", udp(2), 5)]))
        #expect(watcher.next == .watch(from: 8))
        #expect(watcher.table.peers.map(\.subnet.description) == ["10.244.2.0/24"])
        #expect(watcher.table.own == .held)
        watcher.received(WatchBatch(revision: 9, events: [StoreEvent(.put, entry("10.244.3.0-24", udp(3), 9))]))
        #expect(watcher.table.peers.count == 2)
        watcher.received(WatchBatch(revision: 40, events: []))
        #expect(watcher.next == .watch(from: 41), "progress moves the revision to resume from")
    }

    @Test func aCompactedWatchIsListedAnewAndAnUnreachableStoreIsResumed() {
        var watcher = LeaseWatcher(prefix: prefix, own: own, config: config)
        watcher.listed(list(7, [entry("10.244.2.0-24", udp(2), 5)]))
        watcher.failed(.unavailable("gone"))
        #expect(watcher.next == .pause)
        #expect(watcher.table.peers.count == 1 && !watcher.table.isCurrent)
        watcher.resumed()
        #expect(watcher.next == .watch(from: 8))
        watcher.failed(.compacted(oldest: 100))
        #expect(watcher.next == .list)
        #expect(watcher.table.peers.count == 1, "the table stays until the list is there")
        watcher.failed(.unavailable("gone"))
        #expect(watcher.next == .pause)
        watcher.resumed()
        #expect(watcher.next == .list)
    }

    struct Garbage: Sendable {
        var key: String
        var value: String
        var hint: String
    }

    @Test(arguments: [
        Garbage(key: "10.244.7.0-24", value: "{", hint: "not JSON"),
        Garbage(key: "10.244.7.0-24", value: "{}", hint: "PublicIP"),
        Garbage(key: "rubbish", value: udp(7), hint: "names no subnet"),
        Garbage(key: "10.99.7.0-24", value: udp(7), hint: "outside the network"),
        Garbage(key: "10.244.2.128-25", value: udp(7), hint: "overlaps"),
        Garbage(key: "10.244.0.0-16", value: udp(7), hint: "overlaps"),
        Garbage(key: "10.244.1.0-25", value: udp(7), hint: "overlaps"),
        Garbage(key: "10.244.7.0-24", value: udp(1), hint: "own public address"),
        Garbage(key: "10.244.7.0-24", value: #"{"PublicIP":"192.0.2.7","BackendType":"vxlan"}"#, hint: "vxlan"),
    ])
    func garbageIsSkippedWithAWarningThatNamesTheKey(garbage: Garbage) {
        var watcher = LeaseWatcher(prefix: prefix, own: own, config: config)
        let rest = [entry("10.244.1.0-24", udp(1), 3), entry("10.244.2.0-24", udp(2), 5)]
        watcher.listed(list(9, rest + [entry(garbage.key, garbage.value, 8)]))
        #expect(watcher.table.peers.map(\.subnet.description) == ["10.244.2.0/24"])
        let warnings = watcher.takeWarnings()
        #expect(warnings.count == 1)
        #expect(warnings.first?.contains(prefix + garbage.key) == true)
        #expect(warnings.first?.contains(garbage.hint) == true, "\(warnings)")
        watcher.listed(list(9, rest + [entry(garbage.key, garbage.value, 8)]))
        #expect(watcher.takeWarnings().isEmpty, "said once")
    }

    @Test func theOwnSubnetTakenByAnotherIsSeenAndIsNoPeer() {
        var watcher = LeaseWatcher(prefix: prefix, own: own, config: config)
        watcher.listed(list(9, [entry("10.244.1.0-24", udp(9), 8)]))
        #expect(watcher.table.own == .taken(by: IPv4Address(192, 0, 2, 9)))
        #expect(watcher.table.peers.isEmpty)
        watcher.received(WatchBatch(revision: 10, events: [StoreEvent(.delete, entry("10.244.1.0-24", "", 10))]))
        #expect(watcher.table.own == .missing)
    }

    @Test func aRevisionThatGoesBackDropsNobodyAtOnce() {
        var watcher = LeaseWatcher(prefix: prefix, own: own, config: config)
        watcher.listed(list(90, [entry("10.244.2.0-24", udp(2), 8), entry("10.244.3.0-24", udp(3), 80)]))
        watcher.relist()
        watcher.listed(list(2, []))
        #expect(watcher.table.peers.count == 2)
        #expect(watcher.table.own == .missing)
        watcher.received(WatchBatch(revision: 3, events: [StoreEvent(.put, entry("10.244.3.0-24", udp(3), 3))]))
        watcher.relist()
        watcher.listed(list(4, [entry("10.244.3.0-24", udp(3), 3)]))
        #expect(watcher.table.peers.map(\.subnet.description) == ["10.244.3.0/24"])
    }

    /// The machine against the plain truth: whatever the store goes through and wherever the watch breaks, the table is
    /// that of the revision it has reached, and shrinks by nothing that still exists.
    @Test(arguments: 0..<200)
    func randomInterleavingsEndInTheStoresOwnPicture(seed: UInt64) {
        var random = SplitMix(state: seed)
        var watcher = LeaseWatcher(prefix: prefix, own: own, config: config)
        // Every state that the store has been in, by revision: subnet index -> host.
        var states: [[UInt8: UInt8]] = [[:]]
        var events: [StoreEvent] = []
        var compacted: Int64 = 0
        for _ in 0..<300 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0...4:
                var state = states[states.count - 1]
                let subnet = UInt8.random(in: 2...12, using: &random)
                let revision = Int64(states.count)
                if state[subnet] != nil, Bool.random(using: &random) {
                    state[subnet] = nil
                    events.append(StoreEvent(.delete, entry("10.244.\(subnet).0-24", "", revision)))
                } else {
                    let host = UInt8.random(in: 2...20, using: &random)
                    state[subnet] = host
                    events.append(StoreEvent(.put, entry("10.244.\(subnet).0-24", udp(host), revision)))
                }
                states.append(state)
            case 5:
                compacted = Int64.random(in: compacted...Int64(states.count - 1), using: &random)
            case 6:
                watcher.failed(.unavailable("cut"))
            default:
                let before = Set(watcher.table.peers.map(\.subnet))
                let newest = Int64(states.count - 1)
                switch watcher.next {
                case .pause: watcher.resumed()
                case .list:
                    watcher.listed(
                        list(newest, states[Int(newest)].map { entry("10.244.\($0.key).0-24", udp($0.value), newest) }))
                case .watch(let from) where from <= compacted: watcher.failed(.compacted(oldest: compacted))
                case .watch(let from):
                    guard from <= newest else { continue }
                    let upTo = Int64.random(in: from...newest, using: &random)
                    // At least once: a repeated event must change nothing.
                    let again = max(1, from - Int64.random(in: 0...2, using: &random))
                    watcher.received(
                        WatchBatch(
                            revision: upTo, events: events.filter { (again...upTo).contains($0.keyValue.modRevision) }))
                }
                if case .watch(let from) = watcher.next {
                    let truth = states[Int(from - 1)]
                    let table = Dictionary(
                        uniqueKeysWithValues: watcher.table.peers.map {
                            (UInt8($0.subnet.address.bits >> 8 & 0xFF), UInt8($0.attributes.publicIP.bits & 0xFF))
                        })
                    #expect(table == truth)
                } else {
                    #expect(Set(watcher.table.peers.map(\.subnet)) == before)
                }
            }
        }
    }
}

/// A small generator with a seed, so that a failing run can be repeated.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
