import KubeAPI
import KubeSchema
import Logging
import Synchronization

/// What all pod workers share.
struct KubeletContext: Sendable {
    let client: KubeClient
    let runtime: RuntimeClient
    let settings: NodeSettings
    let objects: APIObjects
    let volumes: VolumeManager<APIObjects>
    let services: Informer<Service>
    let events: EventRecorder
    let time: any TimeSource
    let logger: Logger
    let images: ImagePuller
    let health: NodeHealth

    /// Records that something went as it should.
    func event(_ pod: DesiredPod, container: String? = nil, _ reason: String, _ message: String) {
        event(pod, container: container, .normal, reason, message)
    }

    /// Records an event about a pod, or about one container of it.
    func event(
        _ pod: DesiredPod, container: String? = nil, _ type: EventRecorder.EventType, _ reason: String,
        _ message: String
    ) {
        var reference = Pod(document: pod.document).reference
        if let container {
            let list = pod.initContainers.contains { $0.name == container } ? "initContainers" : "containers"
            reference.fieldPath = "spec.\(list){\(container)}"
        }
        events.record(reference, type, reason: reason, message: message)
    }
}

/// Config maps and secrets from the API server.
struct APIObjects: ReferencedObjects {
    let client: KubeClient

    func configMap(_ name: String, namespace: String) async throws(ContainerConfigurationError) -> JSON? {
        try await get(ConfigMap.self, name, namespace)
    }

    func secret(_ name: String, namespace: String) async throws(ContainerConfigurationError) -> JSON? {
        try await get(Secret.self, name, namespace)
    }

    private func get<T: KubeObject>(
        _ type: T.Type, _ name: String, _ namespace: String
    ) async throws(ContainerConfigurationError) -> JSON? {
        do {
            return try await client.get(T.self, name: name, namespace: namespace).document
        } catch  where error.isNotFound {
            return nil
        } catch {
            throw ContainerConfigurationError("\(T.resource.kind.lowercased()) \"\(name)\": \(error)")
        }
    }
}
