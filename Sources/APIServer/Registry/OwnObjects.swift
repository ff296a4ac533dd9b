import KubeSchema
import Logging

/// The objects that a cluster has from the start, put in place and kept there: three namespaces, and the service
/// `kubernetes` with the API server behind it.
struct OwnObjects: Sendable {
    static let namespaces = ["default", "kube-system", "kube-node-lease", "kube-public"]
    private static let interval: Duration = .seconds(30)

    private let registry: Registry
    private let configuration: APIServerConfiguration
    private let logger: Logger

    init(_ registry: Registry, _ configuration: APIServerConfiguration, _ logger: Logger) {
        self.registry = registry
        self.configuration = configuration
        self.logger = logger
    }

    /// Looks after them until cancelled. Looking costs the store nothing while all is in place.
    func run() async {
        var wait: Duration = .milliseconds(50)
        while !Task.isCancelled {
            var settled = false
            if registry.caches.isReady {
                do throws(APIFailure) {
                    for name in Self.namespaces { try await ensureNamespace(name) }
                    try await ensureService()
                    try await ensureEndpoints()
                    settled = true
                } catch {
                    logger.warning("own objects", metadata: ["error": "\(error.status["message"]?.string ?? "")"])
                }
            }
            wait = settled ? Self.interval : min(wait * 2, .seconds(2))
            try? await Task.sleep(for: wait)
        }
    }

    private func definition(_ resource: String) throws(APIFailure) -> ResourceDefinition {
        guard let definition = registry.catalogue.resource(group: "", version: "v1", resource: resource) else {
            throw .unknownPath()
        }
        return definition
    }

    private func cached(_ definition: ResourceDefinition, _ namespace: String?, _ name: String) -> StoredObject? {
        registry.caches.cache(definition)?.object(registry.key(definition, namespace, name))
    }

    /// Creates what another server may be creating at the same time.
    private func create(_ object: JSON, _ definition: ResourceDefinition, namespace: String?) async throws(APIFailure) {
        var object = object
        Defaults.apply(to: &object, definition)
        do throws(APIFailure) {
            _ = try await registry.create(object, definition, namespace: namespace)
        } catch  where error.reason == "AlreadyExists" {}
    }

    private func ensureNamespace(_ name: String) async throws(APIFailure) {
        let definition = try definition("namespaces")
        guard cached(definition, nil, name) == nil else { return }
        try await create(
            ["kind": "Namespace", "apiVersion": "v1", "metadata": ["name": .string(name)]], definition, namespace: nil)
    }

    private func ensureService() async throws(APIFailure) {
        let services = try definition("services")
        guard cached(services, "default", "kubernetes") == nil else { return }
        try await create(
            [
                "kind": "Service", "apiVersion": "v1",
                "metadata": ["name": "kubernetes", "labels": ["component": "apiserver", "provider": "kubernetes"]],
                "spec": [
                    "clusterIP": .string("\(configuration.serviceNetwork.first)"), "type": "ClusterIP",
                    "ports": [
                        [
                            "name": "https", "port": 443, "protocol": "TCP",
                            "targetPort": .integer(Int64(configuration.advertised?.port ?? 6443)),
                        ]
                    ],
                ],
            ], services, namespace: "default")
    }

    private func ensureEndpoints() async throws(APIFailure) {
        guard let advertised = configuration.advertised else { return }
        let endpoints = try definition("endpoints")
        let subset: JSON = [
            "addresses": [["ip": .string(advertised.address)]],
            "ports": [["name": "https", "port": .integer(Int64(advertised.port)), "protocol": "TCP"]],
        ]
        guard let current = cached(endpoints, "default", "kubernetes") else {
            return try await create(
                [
                    "kind": "Endpoints", "apiVersion": "v1", "metadata": ["name": "kubernetes"], "subsets": [subset],
                ], endpoints, namespace: "default")
        }
        guard current.document["subsets"] != [subset] else { return }
        _ = try await registry.update(endpoints, "default", "kubernetes") { (current) throws(APIFailure) in
            var document = current.document
            document["subsets"] = [subset]
            return document
        }
    }
}
