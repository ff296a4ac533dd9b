import OrderedCollections

extension ManagedFields {
    /// Managers that only update, beyond which the oldest are counted as one.
    static let updaterLimit = 10
    /// Who owns what was there when an object was applied to that nobody had been noted for.
    static let beforeFirstApply = "before-first-apply"
    /// Who the oldest updaters become.
    static let ancientChanges = "ancient-changes"
    /// kubectl's name when it applies on the server; its objects come from its older way of applying.
    static let kubectl = "kubectl"

    /// Notes that `manager` wrote `new` where `old` was, not by apply: it owns what it changed, and nobody owns what is
    /// gone.
    ///
    /// - Parameters:
    ///   - old: The object before; for a new one `nil`.
    ///   - ignored: Fields that the write cannot change, as it goes through another door than theirs.
    package mutating func noteUpdate(
        from old: JSON?, to new: JSON, by manager: FieldManager, ignoring ignored: FieldSet = .empty,
        _ message: MessageSchema, now: Timestamp
    ) {
        // Once the owners of an object have been forgotten, only applying to it begins anew.
        if old != nil, entries.isEmpty { return }
        let difference = FieldComparison(old ?? Self.blank(message), new, .root(message))
        let changed = difference.added.union(difference.modified).owned(ignored)
        let removed = difference.removed.owned(ignored)
        if changed.isEmpty, removed.isEmpty { return }
        release(changed.union(removed), except: nil)
        if !changed.isEmpty {
            var entry = entries[manager] ?? Entry(fields: .empty)
            entry.fields = entry.fields.union(changed)
            entry.time = now
            entries[manager] = entry
        }
        capUpdaters()
    }

    /// Applies a configuration.
    ///
    /// - Parameters:
    ///   - configuration: What `manager` wants, and all it wants, conformed to the schema with its zero values and nulls.
    ///   - live: The object as it is, without `managedFields`; `nil` if there is none.
    ///   - force: Takes fields over that others own.
    /// - Returns: The new object, without `managedFields`. It may hold nulls and is to be conformed and defaulted.
    package mutating func apply(
        _ configuration: JSON, to live: JSON?, by manager: FieldManager, force: Bool,
        ignoring ignored: FieldSet = .empty,
        _ message: MessageSchema, now: Timestamp
    ) throws(ApplyConflicts) -> JSON {
        let shape = FieldShape.root(message)
        if let live, entries.isEmpty {
            let before = FieldManager(
                Self.beforeFirstApply, .update, apiVersion: manager.apiVersion, subresource: manager.subresource)
            noteUpdate(from: nil, to: live, by: before, ignoring: ignored, message, now: now)
        }
        var attempt = self
        var object: JSON
        do throws(ApplyConflicts) {
            object = try attempt.take(configuration, over: live, by: manager, force, ignored, shape, now)
        } catch {
            guard manager.name == Self.kubectl, let live else { throw error }
            // What kubectl had applied from the client is its own now.
            let rest = error.conflicts.filter { !Self.lastApplied(to: live, shape).contains($0.path) }
            guard rest.isEmpty else { throw ApplyConflicts(conflicts: rest) }
            attempt = self
            object = try attempt.take(configuration, over: live, by: manager, true, ignored, shape, now)
        }
        self = attempt
        if manager.name == Self.kubectl { Self.refreshLastApplied(&object, from: configuration) }
        return object
    }

    /// Computes one application. What it leaves of `self` after a throw means nothing.
    private mutating func take(
        _ configuration: JSON, over live: JSON?, by manager: FieldManager, _ force: Bool, _ ignored: FieldSet,
        _ shape: FieldShape, _ now: Timestamp
    ) throws(ApplyConflicts) -> JSON {
        var object = FieldMerge.merge(configuration, over: live, shape)
        let last = entries[manager]
        let wanted = FieldSet(of: configuration, shape).owned(ignored)
        // The manager's name is kept, the version in it may change.
        entries[manager] = nil
        entries[manager] = Entry(fields: wanted, time: last?.time)
        if let last, !last.fields.isEmpty {
            object = prune(object, of: last.fields, keeping: FieldSet(of: configuration, shape), shape)
        }

        let difference = FieldComparison(live, object, shape)
        let changed = difference.added.union(difference.modified).owned(ignored)
        if !force {
            var conflicts: [FieldManager: FieldSet] = [:]
            for (other, entry) in entries where other != manager {
                let conflict = entry.fields.intersection(changed)
                if !conflict.isEmpty { conflicts[other] = conflict }
            }
            if !conflicts.isEmpty { throw ApplyConflicts(conflicts) }
        }
        release(changed.union(difference.removed), except: manager)
        if !difference.isSame || last?.fields != wanted { entries[manager]?.time = now }
        if wanted.isEmpty { entries[manager] = nil }
        return object
    }

    /// Takes out of a merged object what its applier owned before and now leaves out, as far as nobody else owns it.
    private func prune(_ merged: JSON, of last: FieldSet, keeping wanted: FieldSet, _ shape: FieldShape) -> JSON {
        let all = FieldSet(of: merged, shape).withNamedFields(shape)
        func remove(_ set: FieldSet) -> JSON { FieldMerge.remove(set, from: merged, shape) ?? [:] }
        func fields(_ object: JSON) -> FieldSet { FieldSet(of: object, shape).withNamedFields(shape) }
        let last = last.withNamedFields(shape)
        var pruned = remove(last)
        // What anybody owns stays, and so does what the configuration has, the object's name for instance, which nobody
        // owns.
        let owned = entries.values.reduce(wanted) { $0.union($1.fields) }.withNamedFields(shape)
        pruned = remove(all.subtracting(fields(pruned).union(owned)))
        // So does what went only because something around it did.
        return remove(all.subtracting(fields(pruned)).intersection(last))
    }

    private mutating func release(_ fields: FieldSet, except manager: FieldManager?) {
        if fields.isEmpty { return }
        for (other, entry) in entries where other != manager {
            let rest = entry.fields.subtracting(fields)
            if rest.isEmpty { entries[other] = nil } else { entries[other]?.fields = rest }
        }
    }

    /// Counts the updaters beyond the limit as one for each version, the longest silent first.
    private mutating func capUpdaters() {
        let updaters = entries.keys.filter { $0.operation == .update }
        guard updaters.count > Self.updaterLimit else { return }
        let oldest = updaters.sorted {
            let (l, r) = (entries[$0]?.time?.seconds ?? 0, entries[$1]?.time?.seconds ?? 0)
            return l != r ? l < r : ($0.name, $0.subresource) < ($1.name, $1.subresource)
        }
        var count = updaters.count
        var firsts: [String: FieldManager] = [:]
        for manager in oldest {
            guard count > Self.updaterLimit else { return }
            guard let first = firsts[manager.apiVersion] else {
                firsts[manager.apiVersion] = manager
                continue
            }
            let bucket = FieldManager(Self.ancientChanges, .update, apiVersion: manager.apiVersion)
            if entries[bucket] == nil { entries[bucket] = entries.removeValue(forKey: first) }
            guard manager != bucket, let entry = entries.removeValue(forKey: manager) else { continue }
            entries[bucket] = Entry(
                fields: (entries[bucket]?.fields ?? .empty).union(entry.fields), time: entry.time)
            count -= 1
        }
    }

    /// A new object before anybody wrote to it: with the parts that every object of its kind has, so that writing into
    /// them does not count as adding them.
    private static func blank(_ message: MessageSchema) -> JSON {
        var members = JSONObject()
        for field in message.fields where !field.isPointer {
            switch field.type {
            case .message(let part) where part.name != message.name: members[field.name] = blank(part)
            case .array where field.isAlwaysSerialized: members[field.name] = []
            case .map where field.isAlwaysSerialized: members[field.name] = [:]
            default: break
            }
        }
        return .object(members)
    }
}

extension FieldSet {
    /// What of the set a manager can own.
    fileprivate func owned(_ ignored: FieldSet) -> FieldSet {
        var set = subtractingRecursively(ignored)
        set = set.subtracting(ManagedFields.unowned)
        set.isMember = false
        return set
    }
}

extension ApplyConflicts {
    fileprivate init(conflicts: [Conflict]) { self.conflicts = conflicts }
}
