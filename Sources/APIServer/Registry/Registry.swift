import ClusterStore
import FoundationEssentials
import KubeSchema
import Logging

/// Reads and writes of objects: what is the same for every kind. Kind-specific behaviour is in the strategies.
///
/// A write reads the newest version it can get cheaply, computes the new one, and stores it if the old one is still the
/// newest; otherwise it begins anew. What an object claims for itself alone (a service address, a node port) is a key of
/// its own, written in the same transaction.
final class Registry: Sendable {
    /// Attempts before a write that is overtaken again and again is given up.
    static let attempts = 16

    let store: any ClusterStore
    let caches: CacheSet
    let catalogue: ResourceCatalogue
    let settings: RegistrySettings
    let now: @Sendable () -> Timestamp
    private let eventLeases: EventLeases
    private let logger: Logger

    init(
        store: any ClusterStore, caches: CacheSet, catalogue: ResourceCatalogue, settings: RegistrySettings,
        logger: Logger,
        now: @escaping @Sendable () -> Timestamp
    ) {
        self.store = store
        self.caches = caches
        self.catalogue = catalogue
        self.settings = settings
        self.logger = logger
        self.now = now
        eventLeases = EventLeases(store: store, timeToLive: settings.eventTimeToLive)
    }

    func key(_ definition: ResourceDefinition, _ namespace: String?, _ name: String) -> String {
        definition.isNamespaced
            ? "/registry/\(definition.resource)/\(namespace ?? "")/\(name)" : "/registry/\(definition.resource)/\(name)"
    }

    // MARK: - Reads

    /// The object as of now, or as of the cache where the client accepts that.
    func get(
        _ definition: ResourceDefinition, _ namespace: String?, _ name: String, fromCache: Bool = false
    ) async throws(APIFailure) -> StoredObject {
        guard let cache = caches.cache(definition) else { throw .unknownPath() }
        if !fromCache { try await caches.catchUp() }
        guard let object = cache.object(key(definition, namespace, name)) else { throw .notFound(definition, name) }
        return object
    }

    private func read(_ key: String) async throws(APIFailure) -> StoredObject? {
        do throws(StoreError) {
            guard let found = try await store.get(key) else { return nil }
            return StoredObject(key: key, revision: found.modRevision, value: found.value)?.parsedOnce
        } catch {
            throw APIFailure(error)
        }
    }

    private func transact(_ transaction: Transaction) async throws(APIFailure) -> TransactionResponse {
        do throws(StoreError) { return try await store.transact(transaction) } catch { throw APIFailure(error) }
    }

    // MARK: - Create

    /// Stores a new object, which has been decoded and defaulted.
    ///
    /// - Parameter manager: Who creates it, to be noted as the owner of its fields; `nil` takes `managedFields` as given.
    func create(
        _ object: JSON, _ definition: ResourceDefinition, namespace: String?, by manager: FieldManager? = nil,
        dryRun: Bool = false, lenient: Bool = false
    ) async throws(APIFailure) -> StoredObject {
        if definition.isNamespaced { try await requireOpenNamespace(namespace ?? "", definition, object) }
        let strategy = Strategies.of(definition)
        let generateName = object["metadata", "generateName"]?.string
        let givenName = object["metadata", "name"]?.string ?? ""
        var taken: Set<String> = []
        var object = object
        track(&object, old: nil, manager, definition, .main)
        for _ in 0..<Self.attempts {
            var document = object
            prepareMetadata(&document, definition, namespace)
            if givenName.isEmpty, let generateName, !generateName.isEmpty {
                document["metadata", "name"] = .string(NameGenerator.name(base: generateName))
            }
            let context = StrategyContext(registry: self, definition: definition, taken: taken)
            strategy.prepareForCreate(&document, context)
            if strategy.countsGenerations { document["metadata", "generation"] = 1 }
            try validate(Validation.create(document, definition, lenient: lenient), definition, document)
            try strategy.allocate(&document, old: nil, context)
            let name = document["metadata", "name"]?.string ?? ""
            let key = key(definition, namespace, name)
            if dryRun {
                if try await read(key) != nil { throw APIFailure(StatusDocument.alreadyExists(definition, name: name)) }
                return StoredObject(key: key, revision: 0, document: document)
            }
            let claims = strategy.claims(document)
            let value = StoredObject.value(of: document)
            let keys = [key] + claims
            let lease = definition.kind == "Event" ? try await eventLeases.lease() : 0
            let response = try await transact(
                Transaction(
                    if: keys.map { Comparison(Array($0.utf8), .equal, .version(0)) },
                    then: [.put(key: Array(key.utf8), value: value, lease: lease)]
                        + claims.map { .put(key: Array($0.utf8), value: Array(key.utf8)) },
                    else: keys.map { .range(RangeRequest(.key($0), keysOnly: true)) }))
            if response.succeeded {
                return StoredObject(key: key, revision: response.revision, value: value, document: document)
            }
            if Self.exists(response, 0) {
                guard givenName.isEmpty else { throw APIFailure(StatusDocument.alreadyExists(definition, name: name)) }
            }
            for (index, claim) in claims.enumerated() where Self.exists(response, index + 1) { taken.insert(claim) }
        }
        throw APIFailure(
            .timeout,
            "no free name or address was found for the \(definition.kind) in \(Self.attempts) attempts, try again")
    }

    private static func exists(_ response: TransactionResponse, _ index: Int) -> Bool {
        guard index < response.results.count, case .range(let found) = response.results[index] else { return false }
        return found.count > 0 || !found.keyValues.isEmpty
    }

    private func prepareMetadata(_ object: inout JSON, _ definition: ResourceDefinition, _ namespace: String?) {
        // A bare nil would be a JSON null here.
        object["metadata", "namespace"] = definition.isNamespaced ? .string(namespace ?? "") : JSON?.none
        object["metadata", "uid"] = .string(UUID().uuidString.lowercased())
        object["metadata", "creationTimestamp"] = .string(now().rfc3339)
        for field in ["deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "resourceVersion", "generation"] {
            object["metadata", field] = nil
        }
    }

    private func requireOpenNamespace(_ name: String, _ definition: ResourceDefinition, _ object: JSON)
        async throws(APIFailure)
    {
        guard let namespaces = catalogue.resource(group: "", version: "v1", resource: "namespaces") else { return }
        let key = key(namespaces, nil, name)
        var found = caches.cache(namespaces)?.object(key)
        if found == nil { found = try await read(key) }
        guard let found else { throw .notFound(namespaces, name) }
        guard found.document["metadata", "deletionTimestamp"] == nil else {
            var status = StatusDocument.forbidden(
                definition,
                name: object["metadata", "name"]?.string ?? object["metadata", "generateName"]?.string ?? "",
                "unable to create new content in namespace \(name) because it is being terminated")
            status["details", "causes"] = [
                [
                    "reason": "NamespaceTerminating", "message": .string("namespace \(name) is being terminated"),
                    "field": "metadata.namespace",
                ]
            ]
            throw APIFailure(status)
        }
    }

    func validate(_ errors: [FieldError], _ definition: ResourceDefinition, _ object: JSON) throws(APIFailure) {
        guard !errors.isEmpty else { return }
        throw APIFailure(StatusDocument.invalid(definition, name: object["metadata", "name"]?.string ?? "", errors))
    }

    // MARK: - Change

    /// What becomes of an object.
    enum Outcome {
        case store(JSON)
        case remove
        case keep
    }

    /// Changes or removes an object.
    ///
    /// - Parameter change: Computes what becomes of the version it is given. May be called several times; an error that
    ///   it throws for a version that is not the newest is not the last word.
    /// - Returns: The object as it is now, or its last version when it was removed.
    func change(
        _ definition: ResourceDefinition, _ namespace: String?, _ name: String, dryRun: Bool = false,
        _ change: (_ current: StoredObject, _ context: StrategyContext) throws(APIFailure) -> Outcome
    ) async throws(APIFailure) -> (object: StoredObject, removed: Bool) {
        let key = key(definition, namespace, name)
        let strategy = Strategies.of(definition)
        var isFresh = false
        var current: StoredObject
        if let cached = caches.cache(definition)?.object(key) {
            current = cached.parsedOnce
        } else {
            guard let read = try await read(key) else { throw .notFound(definition, name) }
            current = read
            isFresh = true
        }
        var taken: Set<String> = []
        for _ in 0..<Self.attempts {
            let outcome: Outcome
            do {
                outcome = try change(current, StrategyContext(registry: self, definition: definition, taken: taken))
            } catch {
                guard !isFresh else { throw error }
                guard let read = try await read(key) else { throw .notFound(definition, name) }
                isFresh = true
                current = read
                continue
            }
            let new: JSON?
            switch outcome {
            case .keep: return (current, false)
            case .store(let document):
                var document = document
                document["metadata", "resourceVersion"] = current.document["metadata", "resourceVersion"]
                if document == current.document {
                    guard !isFresh else { return (current, false) }
                    guard let read = try await read(key) else { throw .notFound(definition, name) }
                    isFresh = true
                    if read.revision == current.revision { return (current, false) }
                    current = read
                    continue
                }
                new = document
            case .remove: new = nil
            }
            if dryRun {
                return (
                    StoredObject(key: key, revision: current.revision, document: new ?? current.document), new == nil
                )
            }
            let before = Set(strategy.claims(current.document))
            let after = Set(new.map(strategy.claims) ?? [])
            let added = after.subtracting(before).sorted()
            var writes: [StoreOperation] =
                if let new {
                    [
                        .put(
                            key: Array(key.utf8), value: StoredObject.value(of: new),
                            lease: definition.kind == "Event" ? try await eventLeases.lease() : 0)
                    ]
                } else {
                    [.delete(.key(key))]
                }
            writes += added.map { .put(key: Array($0.utf8), value: Array(key.utf8)) }
            writes += before.subtracting(after).sorted().map { .delete(.key($0)) }
            let response = try await transact(
                Transaction(
                    if: [Comparison(Array(key.utf8), .equal, .modRevision(current.revision))]
                        + added.map { Comparison(Array($0.utf8), .equal, .version(0)) },
                    then: writes,
                    else: [.range(RangeRequest(.key(key)))]
                        + added.map { .range(RangeRequest(.key($0), keysOnly: true)) }))
            if response.succeeded {
                return (
                    StoredObject(key: key, revision: response.revision, document: new ?? current.document), new == nil
                )
            }
            guard case .range(let found)? = response.results.first, let keyValue = found.keyValues.first,
                let newer = StoredObject(key: key, revision: keyValue.modRevision, value: keyValue.value)
            else { throw .notFound(definition, name) }
            current = newer.parsedOnce
            isFresh = true
            for (index, claim) in added.enumerated() where Self.exists(response, index + 1) { taken.insert(claim) }
        }
        throw .conflict(definition, name)
    }
}

/// What the engine is told at start.
struct RegistrySettings: Sendable {
    /// Service addresses are taken from here; the first is the API server's own.
    var serviceNetwork: ServiceNetwork
    var nodePorts: ClosedRange<Int64> = 30000...32767
    /// How long events are kept.
    var eventTimeToLive: Int64 = 3600
}

extension APIFailure {
    init(_ error: StoreError) {
        switch error {
        case .compacted, .futureRevision:
            self.init(
                StatusDocument.expired(
                    "The provided continue parameter is too old to display a consistent list result."))
        case .refused(let why): self.init(.internalError, "the cluster's store refused the request: \(why)")
        default: self = .store("\(error)")
        }
    }
}
