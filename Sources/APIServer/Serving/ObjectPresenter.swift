import KubeSchema

/// Brings objects into the form and version that a request asks for.
struct ObjectPresenter: Sendable {
    let definition: ResourceDefinition
    let form: ResponseForm
    let edge: RequestTarget.Edge
    let now: Int64

    init(_ request: APIRequest, now: Int64) {
        definition = request.definition
        form = request.form
        edge = request.target.edge
        self.now = now
    }

    /// One object. Stored bytes go out as they are where the form allows.
    func encode(_ object: StoredObject, columns: Bool = true) -> [UInt8] {
        if case .v1beta1(let resource, let modern) = edge {
            return V1Beta1.fromV1(object.document, resource: resource, selfLink: selfLink(object), metadata: modern)
                .encoded()
        }
        return switch form {
        case .json: object.encoded
        case .metadata: Self.partial(object.document).encoded()
        case .table(let include, let version):
            Self.label(
                TableRenderer.table(
                    items: [object.document], definition: definition, include: include, now: now,
                    resourceVersion: String(object.revision), columns: columns), version
            ).encoded()
        }
    }

    /// A document that is no stored object, such as a Scale or a Status.
    func encode(document: JSON) -> [UInt8] {
        if case .v1beta1(let resource, modern: false) = edge {
            return V1Beta1.fromV1(document, resource: resource, selfLink: nil).encoded()
        }
        return document.encoded()
    }

    func encode(list objects: [StoredObject], revision: Int64, next: String?, remaining: Int64?, path: String)
        -> [UInt8]
    {
        if case .v1beta1(let resource, let modern) = edge {
            let list = document(list: objects.map(\.document), revision, next, remaining)
            return V1Beta1.fromV1(list, resource: resource, selfLink: path, metadata: modern).encoded()
        }
        switch form {
        case .json:
            var head = document(list: [], revision, next, remaining).encoded()
            head.removeLast(2)  // "]}": items is the last member
            head.reserveCapacity(objects.reduce(head.count + 2) { $0 + $1.encoded.count + 1 })
            for (index, object) in objects.enumerated() {
                if index > 0 { head.append(UInt8(ascii: ",")) }
                head.append(contentsOf: object.encoded)
            }
            head.append(contentsOf: "]}".utf8)
            return head
        case .metadata:
            var list = document(list: objects.map { Self.partial($0.document) }, revision, next, remaining)
            list["kind"] = "PartialObjectMetadataList"
            list["apiVersion"] = "meta.k8s.io/v1"
            return list.encoded()
        case .table(let include, let version):
            var table = TableRenderer.table(
                items: objects.map(\.document), definition: definition, include: include, now: now,
                resourceVersion: String(revision))
            table["metadata", "continue"] = next.map { .string($0) }
            table["metadata", "remainingItemCount"] = remaining.map { .integer($0) }
            return Self.label(table, version).encoded()
        }
    }

    private func document(list items: [JSON], _ revision: Int64, _ next: String?, _ remaining: Int64?) -> JSON {
        var metadata: JSON = ["resourceVersion": .string(String(revision))]
        metadata["continue"] = next.map { .string($0) }
        metadata["remainingItemCount"] = remaining.map { .integer($0) }
        return [
            "kind": .string(definition.kind + "List"), "apiVersion": .string(definition.apiVersion),
            "metadata": metadata,
            "items": .array(items),
        ]
    }

    /// One line of a watch.
    func frame(_ type: String, _ object: StoredObject, isFirst: Bool) -> [UInt8] {
        var bytes = Array("{\"type\":\"\(type)\",\"object\":".utf8)
        bytes.append(contentsOf: encode(object, columns: isFirst))
        bytes.append(contentsOf: "}\n".utf8)
        return bytes
    }

    /// A line that says only how far the watch is.
    func bookmark(_ revision: Int64, endsInitialEvents: Bool) -> [UInt8] {
        var object: JSON = [
            "kind": .string(definition.kind), "apiVersion": .string(definition.apiVersion),
            "metadata": ["resourceVersion": .string(String(revision)), "creationTimestamp": .null],
        ]
        if endsInitialEvents { object["metadata", "annotations"] = ["k8s.io/initial-events-end": "true"] }
        switch form {
        case .json: break
        case .metadata: object = Self.partial(object)
        case .table(let include, let version):
            var table = TableRenderer.table(
                items: [object], definition: definition, include: include, now: now, resourceVersion: String(revision),
                columns: false)
            if var row = table["rows"]?.array?.first {
                row["object"] = Self.partial(object)
                table["rows"] = [row]
            }
            object = Self.label(table, version)
        }
        let line: JSON = ["type": "BOOKMARK", "object": object]
        return line.encoded() + [UInt8(ascii: "\n")]
    }

    func errorFrame(_ failure: APIFailure) -> [UInt8] {
        var status = failure.status
        if case .v1beta1(let resource, modern: false) = edge {
            status = V1Beta1.fromV1(status, resource: resource, selfLink: nil)
        }
        let line: JSON = ["type": "ERROR", "object": status]
        return line.encoded() + [UInt8(ascii: "\n")]
    }

    private func selfLink(_ object: StoredObject) -> String? {
        guard case .v1beta1(let resource, _) = edge else { return nil }
        let base = "/api/v1beta1/\(resource)/\(object.name)"
        return definition.isNamespaced ? "\(base)?namespace=\(object.namespace)" : base
    }

    private static func partial(_ object: JSON) -> JSON {
        ["kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"] ?? [:]]
    }

    private static func label(_ table: JSON, _ version: String) -> JSON {
        guard version != "v1" else { return table }
        var table = table
        table["apiVersion"] = .string("meta.k8s.io/\(version)")
        return table
    }
}
