package import KubeSchema

/// One event of a watch.
package enum WatchEvent<Object: Sendable>: Sendable {
    case added(Object)
    case modified(Object)
    /// The object as it was last.
    case deleted(Object)
    /// Everything up to this revision has been sent.
    case bookmark(resourceVersion: String)
}

extension KubeClient {
    /// Follows a resource from a revision on.
    ///
    /// - Parameters:
    ///   - namespace: `nil` for all.
    ///   - resourceVersion: Events after this revision are sent; `nil` or empty begins with the present objects as
    ///     added.
    ///   - timeoutSeconds: When the server is to end the stream.
    ///   - receive: Gets each event in order, and stops the watch by returning `false`.
    /// - Throws: Also for an event of type ERROR, as its Status: `isExpired` when the revision is no longer in the
    ///   server's history.
    package func watch<T: KubeObject>(
        _ type: T.Type, namespace: String? = nil, labelSelector: String? = nil, fieldSelector: String? = nil,
        resourceVersion: String?, timeoutSeconds: Int? = nil,
        _ receive: @Sendable (WatchEvent<T>) async throws(APIError) -> Bool
    ) async throws(APIError) {
        var query: [(name: String, value: String)] = [("watch", "true"), ("allowWatchBookmarks", "true")]
        if let resourceVersion, !resourceVersion.isEmpty { query.append(("resourceVersion", resourceVersion)) }
        if let labelSelector { query.append(("labelSelector", labelSelector)) }
        if let fieldSelector { query.append(("fieldSelector", fieldSelector)) }
        if let timeoutSeconds { query.append(("timeoutSeconds", String(timeoutSeconds))) }
        let request = APIRequest(.get, T.resource.path(namespace: namespace), query: query)
        try await transport.stream(request) { line throws(APIError) in
            try await receive(WatchEvent(line: line, as: T.self))
        }
    }
}

extension WatchEvent where Object: KubeObject {
    init(line: JSON, as type: Object.Type) throws(APIError) {
        guard let type = line["type"]?.string, let object = line["object"] else {
            throw .malformed("a watch event without type or object")
        }
        switch type {
        case "ADDED": self = .added(Object(document: object))
        case "MODIFIED": self = .modified(Object(document: object))
        case "DELETED": self = .deleted(Object(document: object))
        case "BOOKMARK":
            guard let version = object["metadata", "resourceVersion"]?.string else {
                throw .malformed("a bookmark without metadata.resourceVersion")
            }
            self = .bookmark(resourceVersion: version)
        case "ERROR": throw APIError(status: object)
        default: throw .malformed("a watch event of type \(type)")
        }
    }
}
