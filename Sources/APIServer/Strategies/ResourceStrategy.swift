import KubeSchema

/// What is particular about one kind. Everything has a default that suits a kind without particulars.
protocol ResourceStrategy: Sendable {
    /// Whether a PUT of an object that is not there creates it.
    var createsOnUpdate: Bool { get }
    /// Whether `metadata.generation` counts the changes of `spec`.
    var countsGenerations: Bool { get }
    /// Whether DELETE answers with the object even when it is gone.
    var deletionAnswersObject: Bool { get }
    /// What becomes of the dependents where a deletion does not say: `Background`, or `Orphan` for kinds whose first
    /// clients knew no collection.
    var defaultPropagation: String { get }
    /// Sets what the server owns in a new object. Runs before validation.
    func prepareForCreate(_ object: inout JSON, _ context: StrategyContext)
    /// Carries over what an update cannot change. Runs before validation; status is kept by the engine.
    func prepareForUpdate(_ new: inout JSON, old: JSON, _ context: StrategyContext)
    /// Chooses what the object gets for itself alone, or checks what it asks for. Runs after validation.
    func allocate(_ object: inout JSON, old: JSON?, _ context: StrategyContext) throws(APIFailure)
    /// The store's keys that stand for what the object has for itself alone.
    func claims(_ object: JSON) -> [String]
    /// How a deletion proceeds, finalizers aside: `nil` removes the object, otherwise it is stored in this form.
    func beginDeletion(_ object: JSON, _ options: DeleteOptions, _ context: StrategyContext) -> JSON?
}

extension ResourceStrategy {
    var createsOnUpdate: Bool { false }
    var countsGenerations: Bool { false }
    var deletionAnswersObject: Bool { false }
    var defaultPropagation: String { "Background" }
    func prepareForCreate(_ object: inout JSON, _ context: StrategyContext) {}
    func prepareForUpdate(_ new: inout JSON, old: JSON, _ context: StrategyContext) {}
    func allocate(_ object: inout JSON, old: JSON?, _ context: StrategyContext) throws(APIFailure) {}
    func claims(_ object: JSON) -> [String] { [] }
    func beginDeletion(_ object: JSON, _ options: DeleteOptions, _ context: StrategyContext) -> JSON? { nil }
}

/// What a strategy may ask.
struct StrategyContext: Sendable {
    let registry: Registry
    let definition: ResourceDefinition
    /// Claims that turned out to be taken in an earlier attempt.
    let taken: Set<String>

    var now: Timestamp { registry.now() }
}

enum Strategies {
    static func of(_ definition: ResourceDefinition) -> any ResourceStrategy {
        switch (definition.group, definition.resource) {
        case ("", "pods"): PodStrategy()
        case ("", "services"): ServiceStrategy()
        case ("", "namespaces"): NamespaceStrategy()
        case ("", "nodes"): PlainStrategy()
        case ("", "replicationcontrollers"): ReplicationControllerStrategy()
        case ("", "persistentvolumes"), ("", "persistentvolumeclaims"): VolumeStrategy()
        case ("", "endpoints"), ("", "events"), ("coordination.k8s.io", "leases"),
            ("rbac.authorization.k8s.io", _):
            FreelyWrittenStrategy()
        case ("batch", "jobs"): JobStrategy()
        case ("apps", "controllerrevisions"): PlainStrategy()
        case ("apps", _), ("batch", _), ("policy", _), ("networking.k8s.io", _), ("discovery.k8s.io", _),
            ("admissionregistration.k8s.io", _), ("scheduling.k8s.io", _):
            CountedStrategy(hasStatus: definition.subresource("status") != nil)
        default: definition.subresource("status") == nil ? PlainStrategy() : StatusStrategy()
        }
    }
}

/// Kinds without particulars.
struct PlainStrategy: ResourceStrategy {}

/// Kinds that components write without asking whether they are there.
struct FreelyWrittenStrategy: ResourceStrategy {
    var createsOnUpdate: Bool { true }
}
