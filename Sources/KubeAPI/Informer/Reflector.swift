/// A difference between two states of a resource.
package enum Change<Object: KubeObject>: Sendable, Equatable {
    case added(Object)
    case updated(old: Object, new: Object)
    /// As it was last seen; its very last state may have been missed.
    case deleted(Object)

    /// The newest known form of the object.
    package var object: Object {
        switch self {
        case .added(let object), .updated(_, let object), .deleted(let object): object
        }
    }
    /// The form before, if there was one.
    package var old: Object? {
        switch self {
        case .added: nil
        case .updated(let old, _), .deleted(let old): old
        }
    }
}

/// A copy of a resource kept up to date by list and watch: what to ask for next and what the answers change. No I/O.
///
/// The copy never shrinks below what the server has: a new list replaces it in one step, and objects that are gone
/// from it are reported as deleted. The revision to resume from advances with each event and each bookmark.
struct Reflector<Object: KubeObject> {
    enum Step: Equatable {
        case list
        case watch(resourceVersion: String)
    }

    static var backoff: Backoff { Backoff(base: .milliseconds(100), cap: .seconds(5)) }

    /// By namespace and name.
    private(set) var objects: [String: [String: Object]] = [:]
    /// There has been a list: an absent object is known to be absent.
    private(set) var hasSynced = false
    /// In a row, of lists and watches; 0 while all is well.
    private(set) var failures = 0
    private var resourceVersion: String?

    /// What to ask the server for now.
    var step: Step { resourceVersion.map { .watch(resourceVersion: $0) } ?? .list }

    subscript(key: ObjectKey) -> Object? { objects[key.namespace]?[key.name] }

    /// Takes a complete list as the new state.
    mutating func listed(_ list: ObjectList<Object>) -> [Change<Object>] {
        var changes: [Change<Object>] = []
        var fresh: [String: [String: Object]] = [:]
        for object in list.items {
            let key = object.key
            fresh[key.namespace, default: [:]][key.name] = object
            changes += difference(from: self[key], to: object)
        }
        for (namespace, old) in objects {
            for (name, object) in old where fresh[namespace]?[name] == nil { changes.append(.deleted(object)) }
        }
        objects = fresh
        resourceVersion = list.resourceVersion
        hasSynced = true
        return changes
    }

    /// Applies an event of the watch.
    mutating func received(_ event: WatchEvent<Object>) -> [Change<Object>] {
        failures = 0
        switch event {
        case .bookmark(let version):
            resourceVersion = version
            return []
        case .added(let object), .modified(let object):
            advance(to: object)
            let key = object.key
            let changes = difference(from: self[key], to: object)
            objects[key.namespace, default: [:]][key.name] = object
            return changes
        case .deleted(let object):
            advance(to: object)
            let key = object.key
            guard objects[key.namespace]?.removeValue(forKey: key.name) != nil else { return [] }
            if objects[key.namespace]?.isEmpty == true { objects[key.namespace] = nil }
            return [.deleted(object)]
        }
    }

    /// Notes that a list failed or that a watch is over.
    ///
    /// - Parameter error: `nil` when the server ended the watch as servers do from time to time.
    /// - Returns: How long to wait before the next step.
    mutating func ended(_ error: APIError?, sawEvents: Bool, random: Double = .random(in: 0..<1)) -> Duration {
        if error == nil, sawEvents { return .zero }
        // A watch that ends without an event counts as a failure too, lest a server that ends all at once be asked
        // without a pause.
        failures += 1
        if let error, error.isExpired || error.code == 400 { resourceVersion = nil }
        return Self.backoff.delay(failures: failures, random: random)
    }

    private mutating func advance(to object: Object) {
        if let version = object.metadata.resourceVersion, !version.isEmpty { resourceVersion = version }
    }

    private func difference(from old: Object?, to new: Object) -> [Change<Object>] {
        guard let old else { return [.added(new)] }
        if old.metadata.uid != new.metadata.uid { return [.deleted(old), .added(new)] }
        if old.metadata.resourceVersion == new.metadata.resourceVersion, new.metadata.resourceVersion != nil {
            return []
        }
        return [.updated(old: old, new: new)]
    }
}
