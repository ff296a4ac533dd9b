package import ClusterStore

/// etcd's rules for what may stand in a request, checked before it reaches the writer.
extension Operation {
    /// The most operations and conditions that a transaction may have; etcd's `--max-txn-ops`.
    static let operationsPerTransaction = 128

    /// - Throws: ``StoreError/refused(_:)`` with etcd's words.
    package func check() throws(StoreError) {
        try check(allowance: Self.operationsPerTransaction)
        if case .transaction(let branches) = self { try branches.checkThatNoKeyIsWrittenTwice() }
    }

    private func check(allowance: Int) throws(StoreError) {
        switch self {
        case .range(let query): try Self.check(query.request.range.start)
        case .delete(let range, _): try Self.check(range.start)
        case .put(let put):
            try Self.check(put.key)
            if put.keepsValue, !put.value.isEmpty { throw .refused(EtcdErrorText.valueProvided) }
            if put.keepsLease, put.lease != 0 { throw .refused(EtcdErrorText.leaseProvided) }
        case .transaction(let branches):
            let count = max(branches.conditions.count, branches.success.count, branches.failure.count)
            guard count <= allowance else { throw .refused(EtcdErrorText.tooManyOperations) }
            for condition in branches.conditions { try Self.check(condition.range.start) }
            for operation in branches.success { try operation.check(allowance: allowance - count) }
            for operation in branches.failure { try operation.check(allowance: allowance - count) }
        }
    }

    private static func check(_ key: [UInt8]) throws(StoreError) {
        if key.isEmpty { throw .refused(EtcdErrorText.emptyKey) }
    }
}

extension Branches {
    /// A key gets one version a revision, so no path through the branches may write it twice.
    fileprivate func checkThatNoKeyIsWrittenTwice() throws(StoreError) {
        _ = try Self.writes(of: success)
        _ = try Self.writes(of: failure)
    }

    private struct Writes {
        var puts: Set<[UInt8]> = []
        var deletions: [KeyRange] = []

        func deletes(_ key: [UInt8]) -> Bool { deletions.contains { $0.contains(key) } }
    }

    /// Order matters as little as in etcd: deletions of this list, then nested branches, then puts of this list.
    private static func writes(of operations: [Operation]) throws(StoreError) -> Writes {
        var all = Writes()
        // An open end is not looked at: etcd takes its zero byte for a key, before which nothing is.
        for case .delete(let range, _) in operations where range.end != [0] { all.deletions.append(range) }
        for case .transaction(let branches) in operations {
            let success = try writes(of: branches.success)
            let failure = try writes(of: branches.failure)
            for key in success.puts where all.puts.contains(key) || all.deletes(key) { throw duplicate }
            // Both branches may write a key: only one of them runs.
            for key in failure.puts where (all.puts.contains(key) && !success.puts.contains(key)) || all.deletes(key) {
                throw duplicate
            }
            all.puts.formUnion(success.puts)
            all.puts.formUnion(failure.puts)
            all.deletions += success.deletions + failure.deletions
        }
        for case .put(let put) in operations {
            guard !all.puts.contains(put.key), !all.deletes(put.key) else { throw duplicate }
            all.puts.insert(put.key)
        }
        return all
    }

    private static var duplicate: StoreError { .refused(EtcdErrorText.duplicateKey) }
}
