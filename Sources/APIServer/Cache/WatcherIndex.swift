import KubeSchema

/// Who is told of changes. Called under the cache's lock: must only take note.
protocol CacheWatcher: AnyObject, Sendable {
    func push(_ event: CacheEvent)
    func end()
}

/// The narrowest group of objects that a watch is known to be confined to by its path and selectors. It may be told of
/// others in the group that its selectors exclude, never the other way round.
enum WatchScope: Hashable, Sendable {
    case everything
    /// Keys with this prefix: a namespace.
    case prefix(String)
    case key(String)
    case field(String, String)
    case label(String, String)
}

extension ObjectFilter {
    /// What an event is looked up by, the most telling first: one object, a field such as the node, a label, the
    /// namespace.
    var scope: WatchScope {
        let collection = "/registry/\(definition.resource)/"
        if let name = name ?? fields.requiredValue(of: "metadata.name"),
            prefix != collection || !definition.isNamespaced
        {
            return .key(prefix + name)
        }
        for requirement in fields.requirements
        where !requirement.isNegated && requirement.field != "metadata.namespace" && !requirement.value.isEmpty {
            return .field(requirement.field, requirement.value)
        }
        for requirement in labels.requirements {
            if case .isIn(let values) = requirement.condition, values.count == 1, let value = values.first {
                return .label(requirement.key, value)
            }
        }
        return prefix == collection ? .everything : .prefix(prefix)
    }
}

/// The watches of a resource by what they are confined to, so that an event costs only the watches it may concern.
struct WatcherIndex: Sendable {
    private var groups: [WatchScope: [ObjectIdentifier: any CacheWatcher]] = [:]
    /// How many watches ask for each field, so that an event looks at no others.
    private var fields: [String: Int] = [:]
    private var labelWatches = 0

    var all: [any CacheWatcher] { groups.values.flatMap { $0.values } }

    mutating func add(_ watcher: any CacheWatcher, _ scope: WatchScope) {
        guard groups[scope, default: [:]].updateValue(watcher, forKey: ObjectIdentifier(watcher)) == nil else { return }
        count(scope, by: 1)
    }

    mutating func remove(_ watcher: any CacheWatcher, _ scope: WatchScope) {
        guard groups[scope]?.removeValue(forKey: ObjectIdentifier(watcher)) != nil else { return }
        if groups[scope]?.isEmpty == true { groups[scope] = nil }
        count(scope, by: -1)
    }

    private mutating func count(_ scope: WatchScope, by step: Int) {
        switch scope {
        case .field(let field, _):
            fields[field, default: 0] += step
            if fields[field] == 0 { fields[field] = nil }
        case .label: labelWatches += step
        case .everything, .prefix, .key: break
        }
    }

    /// Tells an event to all watches whose group the object is in, or was in before.
    func push(_ event: CacheEvent, _ definition: ResourceDefinition) {
        guard !groups.isEmpty else { return }
        tell(.everything, event)
        let key = event.object.key
        tell(.key(key), event)
        if definition.isNamespaced, let slash = key.utf8.lastIndex(of: UInt8(ascii: "/")) {
            tell(.prefix(String(key[...slash])), event)
        }
        for field in fields.keys {
            let new = event.object.field(field, definition) ?? ""
            let old = event.previous?.field(field, definition) ?? ""
            if !new.isEmpty { tell(.field(field, new), event) }
            if !old.isEmpty, old != new { tell(.field(field, old), event) }
        }
        if labelWatches > 0 {
            let new = event.object.labels
            for (label, value) in new { tell(.label(label, value), event) }
            for (label, value) in event.previous?.labels ?? [:] where new[label] != value {
                tell(.label(label, value), event)
            }
        }
    }

    private func tell(_ scope: WatchScope, _ event: CacheEvent) {
        guard let group = groups[scope] else { return }
        for watcher in group.values { watcher.push(event) }
    }
}
