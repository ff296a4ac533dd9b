import Addressing
package import ClusterStore

/// Keeps a picture of all leases from lists and watch events: list once, then watch from the list's revision, so that
/// nothing falls between the two. No I/O: the answers go in, ``next`` says what to ask, ``table`` is the picture.
///
/// A list replaces the picture in one step, so it never passes through "empty". When the store's revision goes back, or
/// a list lacks this node's own lease that stood before (the store was restored from a backup, or wiped), leases that
/// the list lacks are kept until a later list lacks them too: their nodes need a moment to claim them again.
package struct LeaseWatcher: Sendable {
    /// What to do next.
    package enum Step: Hashable, Sendable {
        /// Read all leases.
        case list
        /// Watch, beginning with this revision.
        case watch(from: Int64)
        /// Wait a while (the store is away), then ask again.
        case pause
    }

    /// One key as the store has it.
    private struct Entry {
        var lease: Result<Lease, LeaseFormatError>
        var createRevision: Int64
        var modRevision: Int64
        /// A list after the store's revision went back did not have it.
        var isUnconfirmed = false
    }

    private let prefix: [UInt8]
    private let own: Lease
    private let config: NetworkConfig
    private var entries: [String: Entry] = [:]
    /// The newest revision whose changes are in the picture; `nil` when a list is needed.
    private var revision: Int64?
    /// The newest revision ever seen, to notice one that goes back.
    private var newestRevision: Int64 = 0
    private var isPaused = false
    private var warned: [String: Int64] = [:]
    private var warnings: [String] = []

    /// The picture; `peers` is empty until the first list.
    package private(set) var table: LeaseTable
    /// Whether there has been a list yet.
    package private(set) var isListed = false

    /// - Parameters:
    ///   - prefix: What all leases' keys begin with, such as `/coreos.com/network/subnets/`.
    ///   - own: This node's lease; it is never a peer.
    package init(prefix: String, own: Lease, config: NetworkConfig) {
        self.prefix = Array(prefix.utf8)
        self.own = own
        self.config = config
        table = LeaseTable(peers: [], own: .held, isCurrent: false)
    }

    package var next: Step {
        if isPaused { return .pause }
        guard let revision else { return .list }
        return .watch(from: revision + 1)
    }

    /// Takes the answer to a list.
    package mutating func listed(_ response: RangeResponse) {
        let wentBack = response.revision < newestRevision
        let before = entries
        entries = [:]
        for keyValue in response.keyValues { store(keyValue) }
        let ownName = Lease.keyName(of: own.subnet)
        let lacksOwn = isListed && table.own == .held && !entries.keys.contains { Self.names($0, ownName) }
        if wentBack {
            warnings.append(
                "the store's revision went back from \(newestRevision) to \(response.revision) (restored or wiped?); "
                    + "leases that it lacks are kept until the next list")
        } else if lacksOwn, before.contains(where: { entries[$0.key] == nil && !Self.names($0.key, ownName) }) {
            warnings.append(
                "the store lacks this node's own lease and others that stood before (wiped?); they are kept until the "
                    + "next list")
        }
        if wentBack || lacksOwn {
            for (name, var entry) in before where entries[name] == nil {
                entry.isUnconfirmed = true
                entries[name] = entry
            }
        }
        revision = response.revision
        newestRevision = response.revision
        isPaused = false
        isListed = true
        rebuild(isCurrent: true)
    }

    /// Takes a batch of the watch. Events that a list has overtaken change nothing.
    package mutating func received(_ batch: WatchBatch) {
        guard let known = revision else { return }
        for event in batch.events where event.keyValue.modRevision > known {
            switch event.kind {
            case .put: store(event.keyValue)
            case .delete: if let name = name(of: event.keyValue.key) { entries[name] = nil }
            }
        }
        revision = max(known, batch.revision)
        newestRevision = max(newestRevision, batch.revision)
        isPaused = false
        if !batch.events.isEmpty || !table.isCurrent { rebuild(isCurrent: true) }
    }

    /// Takes the failure of a list or watch. The picture stays.
    package mutating func failed(_ error: StoreError) {
        switch error {
        case .compacted, .futureRevision:
            isPaused = revision == nil  // a list that fails so is no reason to hurry
            revision = nil
        case .unavailable, .cancelled:
            isPaused = true
        case .refused, .leaseNotFound, .leaseExists:
            isPaused = true
            revision = nil
        }
        table.isCurrent = false
    }

    /// The pause is over.
    package mutating func resumed() { isPaused = false }

    /// Asks for a list, to verify the picture.
    package mutating func relist() { revision = nil }

    /// Messages for the log since the last call, each about one key's one version only once.
    package mutating func takeWarnings() -> [String] {
        defer { warnings = [] }
        return warnings
    }

    /// Whether a key's last part names a subnet, alone or as the IPv4 half in dual stack.
    private static func names(_ name: String, _ subnet: String) -> Bool {
        name == subnet || name.hasPrefix(subnet + "&")
    }

    private func name(of key: [UInt8]) -> String? {
        guard key.starts(with: prefix), key.count > prefix.count else { return nil }
        return String(decoding: key[prefix.count...], as: UTF8.self)
    }

    private mutating func store(_ keyValue: KeyValue) {
        guard let name = name(of: keyValue.key) else { return }
        let lease: Result<Lease, LeaseFormatError>
        do throws(LeaseFormatError) {
            let subnet = try Lease.subnet(ofKeyName: name)
            lease = .success(
                Lease(
                    subnet: subnet, ipv6Subnet: try Lease.ipv6Subnet(ofKeyName: name),
                    attributes: try LeaseAttributes(parsing: keyValue.value)))
        } catch {
            lease = .failure(error)
        }
        entries[name] = Entry(
            lease: lease, createRevision: keyValue.createRevision, modRevision: keyValue.modRevision)
    }

    /// Derives the table from the entries: older leases win over younger ones that overlap them.
    private mutating func rebuild(isCurrent: Bool) {
        var peers: [Lease] = []
        var ownState = LeaseTable.Own.missing
        var overlap = PrefixSet()
        overlap.insert(own.subnet)
        let ordered = entries.sorted { ($0.value.createRevision, $0.key) < ($1.value.createRevision, $1.key) }
        for (name, entry) in ordered {
            switch entry.lease {
            case .failure(let error):
                warn(name, entry, "\(error)")
            case .success(let lease):
                let attributes = lease.attributes
                if lease.subnet == own.subnet {
                    if attributes.publicIP == own.attributes.publicIP {
                        if !entry.isUnconfirmed { ownState = .held }
                    } else {
                        ownState = .taken(by: attributes.publicIP)
                    }
                } else if attributes.publicIP == own.attributes.publicIP {
                    warn(name, entry, "it bears this node's own public address \(attributes.publicIP)")
                } else if !config.network.contains(lease.subnet) {
                    warn(name, entry, "the subnet is outside the network \(config.network)")
                } else if config.backend != .alloc, attributes.effectiveBackend.lowercased() != config.backend.name {
                    warn(
                        name, entry,
                        "its backend is \"\(attributes.effectiveBackend)\", the network's is \"\(config.backend.name)\""
                    )
                } else if overlap.overlaps(lease.subnet) {
                    warn(name, entry, "the subnet overlaps an older lease's, or this node's own")
                } else {
                    overlap.insert(lease.subnet)
                    peers.append(lease)
                }
            }
        }
        peers.sort { ($0.subnet.address, $0.subnet.length) < ($1.subnet.address, $1.subnet.length) }
        table = LeaseTable(peers: peers, own: ownState, isCurrent: isCurrent)
        warned = warned.filter { entries[$0.key] != nil }
    }

    private mutating func warn(_ name: String, _ entry: Entry, _ reason: String) {
        guard warned[name] != entry.modRevision else { return }
        warned[name] = entry.modRevision
        warnings.append("lease \(String(decoding: prefix, as: UTF8.self))\(name) is skipped: \(reason)")
    }
}

/// Prefixes that don't overlap, with a quick test for one more.
private struct PrefixSet {
    private var members: Set<IPv4Prefix> = []
    private var ancestors: Set<IPv4Prefix> = []

    mutating func insert(_ prefix: IPv4Prefix) {
        members.insert(prefix)
        for length in 0..<prefix.length { ancestors.insert(IPv4Prefix(prefix.address, length: length)) }
    }

    func overlaps(_ prefix: IPv4Prefix) -> Bool {
        ancestors.contains(prefix)
            || (0...prefix.length).contains { members.contains(IPv4Prefix(prefix.address, length: $0)) }
    }
}
