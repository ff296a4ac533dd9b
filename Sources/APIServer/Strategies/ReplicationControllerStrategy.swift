import KubeSchema

struct ReplicationControllerStrategy: ResourceStrategy {
    var countsGenerations: Bool { true }
    var defaultPropagation: String { "Orphan" }

    func prepareForCreate(_ object: inout JSON, _ context: StrategyContext) { object["status"] = ["replicas": 0] }
}
