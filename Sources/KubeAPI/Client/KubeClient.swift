package import KubeSchema
package import Logging

/// Speaks to an API server in terms of objects. A value: copies share their connections.
package struct KubeClient: Sendable {
    package let transport: any APITransport
    let logger: Logger

    /// - Parameter component: Names the caller in the User-Agent header.
    /// - Throws: when certificates or keys of the configuration can't be used.
    package init(
        configuration: ClientConfiguration, component: String = "fjord", logger: Logger
    ) throws(ConfigurationError) {
        self.init(
            transport: try HTTPClientTransport(configuration: configuration, component: component), logger: logger)
    }

    package init(transport: any APITransport, logger: Logger) {
        self.transport = transport
        self.logger = logger
    }
}

/// A page of objects, or all of them.
package struct ObjectList<Object: Sendable>: Sendable {
    package var items: [Object]
    /// The state that the list shows; a watch from here misses nothing.
    package var resourceVersion: String
    /// Gets the next page; `nil` at the end.
    package var continuation: String?
}

/// How an object is deleted.
package struct DeleteOptions: Sendable {
    /// 0 removes a pod at once, without its node's confirmation.
    package var gracePeriodSeconds: Int64?
    /// `Background`, `Foreground` or `Orphan`.
    package var propagationPolicy: String?
    /// The deletion is refused as a conflict when the object is another one by now.
    package var uid: String?
    package var resourceVersion: String?

    package init(
        gracePeriodSeconds: Int64? = nil, propagationPolicy: String? = nil, uid: String? = nil,
        resourceVersion: String? = nil
    ) {
        self.gracePeriodSeconds = gracePeriodSeconds
        self.propagationPolicy = propagationPolicy
        self.uid = uid
        self.resourceVersion = resourceVersion
    }

    var document: JSON {
        var document: JSON = ["kind": "DeleteOptions", "apiVersion": "v1"]
        if let gracePeriodSeconds { document["gracePeriodSeconds"] = .integer(gracePeriodSeconds) }
        if let propagationPolicy { document["propagationPolicy"] = .string(propagationPolicy) }
        if let uid { document["preconditions", "uid"] = .string(uid) }
        if let resourceVersion { document["preconditions", "resourceVersion"] = .string(resourceVersion) }
        return document
    }
}

/// A change to an object that is sent instead of the whole.
package enum PatchBody: Sendable {
    /// RFC 7386.
    case merge(JSON)
    /// Kubernetes' own: lists are merged by their keys.
    case strategicMerge(JSON)
    /// RFC 6902.
    case json(JSON)

    var contentType: String {
        switch self {
        case .merge: "application/merge-patch+json"
        case .strategicMerge: "application/strategic-merge-patch+json"
        case .json: "application/json-patch+json"
        }
    }
    var document: JSON {
        switch self {
        case .merge(let document), .strategicMerge(let document), .json(let document): document
        }
    }
}

extension KubeClient {
    package func get<T: KubeObject>(_ type: T.Type, name: String, namespace: String? = nil) async throws(APIError) -> T
    {
        T(document: try await transport.send(APIRequest(.get, T.resource.path(namespace: namespace, name: name))))
    }

    /// - Parameters:
    ///   - namespace: `nil` for all.
    ///   - limit: `nil` for all in one answer.
    package func list<T: KubeObject>(
        _ type: T.Type, namespace: String? = nil, labelSelector: String? = nil, fieldSelector: String? = nil,
        limit: Int? = nil, continuation: String? = nil
    ) async throws(APIError) -> ObjectList<T> {
        let list = try await list(
            T.resource, namespace: namespace, labelSelector: labelSelector, fieldSelector: fieldSelector, limit: limit,
            continuation: continuation)
        return ObjectList(
            items: list.items.map(T.init(document:)), resourceVersion: list.resourceVersion,
            continuation: list.continuation)
    }

    /// Creates the object in the namespace that its metadata names.
    package func create<T: KubeObject>(_ object: T) async throws(APIError) -> T {
        let path = T.resource.path(namespace: object.metadata.namespace)
        return T(document: try await transport.send(APIRequest(.post, path, document: object.document)))
    }

    /// Replaces the object. When it carries a resourceVersion, only if it is still the stored one.
    package func update<T: KubeObject>(_ object: T) async throws(APIError) -> T {
        try await put(object, subresource: nil)
    }

    /// Replaces the object's status and nothing else.
    package func updateStatus<T: KubeObject>(_ object: T) async throws(APIError) -> T {
        try await put(object, subresource: "status")
    }

    /// Replaces by way of a subresource, such as `finalize`.
    package func put<T: KubeObject>(_ object: T, subresource: String?) async throws(APIError) -> T {
        let path = T.resource.path(
            namespace: object.metadata.namespace, name: object.metadata.name, subresource: subresource)
        return T(document: try await transport.send(APIRequest(.put, path, document: object.document)))
    }

    package func patch<T: KubeObject>(
        _ type: T.Type, name: String, namespace: String? = nil, _ patch: PatchBody, subresource: String? = nil
    ) async throws(APIError) -> T {
        T(document: try await self.patch(T.resource, name: name, namespace: namespace, patch, subresource: subresource))
    }

    package func delete<T: KubeObject>(
        _ type: T.Type, name: String, namespace: String? = nil, options: DeleteOptions = DeleteOptions()
    ) async throws(APIError) {
        try await delete(T.resource, name: name, namespace: namespace, options: options)
    }

    /// Binds the pod to a node. A conflict when it is bound already, or is another pod by now.
    package func bind(pod: Pod, to node: String) async throws(APIError) {
        let document: JSON = [
            "apiVersion": "v1", "kind": "Binding",
            "metadata": [
                "name": .string(pod.metadata.name), "namespace": .string(pod.metadata.namespace ?? "default"),
                "uid": .string(pod.metadata.uid),
            ],
            "target": ["apiVersion": "v1", "kind": "Node", "name": .string(node)],
        ]
        let path = Pod.resource.path(
            namespace: pod.metadata.namespace, name: pod.metadata.name, subresource: "binding")
        _ = try await transport.send(APIRequest(.post, path, document: document))
    }
}

extension KubeClient {
    /// Documents of a resource that is known by name only. Items get the kind and apiVersion that a list leaves out.
    package func list(
        _ resource: ResourceReference, namespace: String? = nil, labelSelector: String? = nil,
        fieldSelector: String? = nil, limit: Int? = nil, continuation: String? = nil
    ) async throws(APIError) -> ObjectList<JSON> {
        var query: [(name: String, value: String)] = []
        if let labelSelector { query.append(("labelSelector", labelSelector)) }
        if let fieldSelector { query.append(("fieldSelector", fieldSelector)) }
        if let limit { query.append(("limit", String(limit))) }
        if let continuation { query.append(("continue", continuation)) }
        let path = resource.path(namespace: namespace)
        let answer = try await transport.send(APIRequest(.get, path, query: query))
        guard let version = answer["metadata", "resourceVersion"]?.string else {
            throw .malformed("the list at \(path) has no metadata.resourceVersion")
        }
        let items = (answer["items"]?.array ?? []).map { item in
            guard item["kind"] == nil || item["apiVersion"] == nil else { return item }
            var item = item
            item["kind"] = .string(resource.kind)
            item["apiVersion"] = .string(resource.apiVersion)
            return item
        }
        let continuation = answer["metadata", "continue"]?.string
        return ObjectList(
            items: items, resourceVersion: version, continuation: continuation?.isEmpty == false ? continuation : nil)
    }

    package func patch(
        _ resource: ResourceReference, name: String, namespace: String? = nil, _ patch: PatchBody,
        subresource: String? = nil
    ) async throws(APIError) -> JSON {
        let path = resource.path(namespace: namespace, name: name, subresource: subresource)
        return try await transport.send(
            APIRequest(.patch, path, contentType: patch.contentType, body: patch.document.encoded()))
    }

    package func delete(
        _ resource: ResourceReference, name: String, namespace: String? = nil, options: DeleteOptions = DeleteOptions()
    ) async throws(APIError) {
        let path = resource.path(namespace: namespace, name: name)
        _ = try await transport.send(APIRequest(.delete, path, document: options.document))
    }
}
