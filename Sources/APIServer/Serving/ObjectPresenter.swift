import KubeSchema
import NIOCore

/// A body with the type that it is of.
struct EncodedAnswer: Sendable {
    var body: ByteBuffer
    var contentType: String

    init(_ bytes: [UInt8], _ contentType: String) {
        body = ByteBuffer(bytes: bytes)
        self.contentType = contentType
    }

    init(body: ByteBuffer, _ contentType: String) {
        self.body = body
        self.contentType = contentType
    }
}

/// Brings objects into the form and version that a request asks for.
struct ObjectPresenter: Sendable {
    let definition: ResourceDefinition
    /// The definition of the version that the client sees.
    let served: ResourceDefinition
    let form: ResponseForm
    let edge: RequestTarget.Edge
    let now: Int64

    init(_ request: APIRequest, now: Int64) {
        definition = request.definition
        served = request.served
        form = request.form
        edge = request.target.edge
        self.now = now
    }

    // MARK: - Single documents

    /// One object. Stored bytes go out as they are where the form allows.
    func encode(_ object: StoredObject, columns: Bool = true) -> EncodedAnswer {
        EncodedAnswer(bytes(object, columns: columns), form.contentType)
    }

    /// A document that is no stored object, such as a Scale or a Status.
    func encode(document: JSON) -> EncodedAnswer {
        if case .v1beta1(let resource, modern: false) = edge {
            return EncodedAnswer(
                V1Beta1.fromV1(document, resource: resource, selfLink: nil).encoded(), "application/json")
        }
        return Self.encode(document, form.encoding)
    }

    /// A document by its own kind; JSON where the encoding has no message for it.
    static func encode(_ document: JSON, _ encoding: ResponseForm.Encoding) -> EncodedAnswer {
        switch encoding {
        case .json: break
        case .yaml: return EncodedAnswer(document.yaml(), "application/yaml")
        case .protobuf:
            let (version, kind) = (document["apiVersion"]?.string ?? "", document["kind"]?.string ?? "")
            if let message = SchemaTable.builtin.message(apiVersion: version, kind: kind) {
                return EncodedAnswer(ProtobufEncoder.envelope(document, as: message), ResponseForm.protobufType)
            }
        }
        return EncodedAnswer(document.encoded(), "application/json")
    }

    private func bytes(_ object: StoredObject, columns: Bool) -> [UInt8] {
        if case .v1beta1(let resource, let modern) = edge {
            return V1Beta1.fromV1(object.document, resource: resource, selfLink: selfLink(object), metadata: modern)
                .encoded()
        }
        switch (form.shape, form.encoding) {
        case (.object, .json) where served.storedAPIVersion == nil: return object.encoded
        case (.object, .protobuf):
            return ProtobufEncoder.envelope(
                VersionConversion.served(object.document, as: served), as: served.message)
        default:
            let document = shaped(object.document, revision: object.revision, columns: columns)
            return Self.bytes(document, form.encoding)
        }
    }

    /// The document that shows an object in the form's shape.
    private func shaped(_ object: JSON, revision: Int64, columns: Bool) -> JSON {
        switch form.shape {
        case .object: VersionConversion.served(object, as: served)
        case .metadata(let version): Self.partial(object, version)
        case .table(let include, let version):
            Self.label(
                TableRenderer.table(
                    items: [VersionConversion.served(object, as: served)], definition: served, include: include,
                    now: now, resourceVersion: String(revision), columns: columns), version)
        }
    }

    private static func bytes(_ document: JSON, _ encoding: ResponseForm.Encoding) -> [UInt8] {
        switch encoding {
        case .json: document.encoded()
        case .yaml: document.yaml()
        case .protobuf:
            if let message = partialMessage { ProtobufEncoder.envelope(document, as: message) } else { [] }
        }
    }

    private static let partialMessage = SchemaTable.builtin.message("meta/v1.PartialObjectMetadata")

    // MARK: - Lists

    func encode(list objects: [StoredObject], revision: Int64, next: String?, remaining: Int64?, path: String)
        -> EncodedAnswer
    {
        if case .v1beta1(let resource, let modern) = edge {
            let list = document(list: objects.map(\.document), revision, next, remaining)
            return EncodedAnswer(
                V1Beta1.fromV1(list, resource: resource, selfLink: path, metadata: modern).encoded(),
                "application/json")
        }
        switch (form.shape, form.encoding) {
        case (.object, .json) where served.storedAPIVersion == nil:
            return EncodedAnswer(body: joined(objects, revision, next, remaining), form.contentType)
        case (.object, .protobuf):
            return EncodedAnswer(protobuf(list: objects, revision, next, remaining), form.contentType)
        default:
            return Self.encode(shaped(list: objects, revision, next, remaining), form.encoding)
        }
    }

    /// The list as JSON, made of the bytes that the objects have already.
    private func joined(_ objects: [StoredObject], _ revision: Int64, _ next: String?, _ remaining: Int64?)
        -> ByteBuffer
    {
        var head = document(list: [], revision, next, remaining).encoded()
        head.removeLast(2)  // "]}": items is the last member
        var body = ByteBuffer()
        body.reserveCapacity(objects.reduce(head.count + 2) { $0 + $1.encoded.count + 1 })
        body.writeBytes(head)
        for (index, object) in objects.enumerated() {
            if index > 0 { body.writeInteger(UInt8(ascii: ",")) }
            body.writeBytes(object.encoded)
        }
        body.writeStaticString("]}")
        return body
    }

    private func protobuf(list objects: [StoredObject], _ revision: Int64, _ next: String?, _ remaining: Int64?)
        -> [UInt8]
    {
        let head = document(list: [], revision, next, remaining)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(objects.count * 1024 + 128)
        ProtobufEncoder.appendEnvelope(
            kind: served.kind + "List", apiVersion: served.apiVersion, to: &bytes
        ) { bytes in
            ProtobufEncoder.appendList(
                metadata: head["metadata"] ?? [:],
                items: objects.lazy.map { VersionConversion.served($0.document, as: served) }, served.message,
                to: &bytes)
        }
        return bytes
    }

    private func shaped(list objects: [StoredObject], _ revision: Int64, _ next: String?, _ remaining: Int64?) -> JSON {
        switch form.shape {
        case .object:
            return document(
                list: objects.map { VersionConversion.served($0.document, as: served) }, revision, next, remaining)
        case .metadata(let version):
            var list = document(
                list: objects.map { Self.partial($0.document, version) }, revision, next, remaining)
            list["kind"] = "PartialObjectMetadataList"
            list["apiVersion"] = .string("meta.k8s.io/\(version)")
            return list
        case .table(let include, let version):
            var table = TableRenderer.table(
                items: objects.map { VersionConversion.served($0.document, as: served) }, definition: served,
                include: include, now: now, resourceVersion: String(revision))
            table["metadata", "continue"] = next.map { .string($0) }
            table["metadata", "remainingItemCount"] = remaining.map { .integer($0) }
            return Self.label(table, version)
        }
    }

    private func document(list items: [JSON], _ revision: Int64, _ next: String?, _ remaining: Int64?) -> JSON {
        var metadata: JSON = ["resourceVersion": .string(String(revision))]
        metadata["continue"] = next.map { .string($0) }
        metadata["remainingItemCount"] = remaining.map { .integer($0) }
        return [
            "kind": .string(served.kind + "List"), "apiVersion": .string(served.apiVersion), "metadata": metadata,
            "items": .array(items),
        ]
    }

    // MARK: - Watches

    /// One event of a watch.
    func frame(_ type: String, _ object: StoredObject, isFirst: Bool) -> [UInt8] {
        frame(type, bytes(object, columns: isFirst))
    }

    /// An event that says only how far the watch is.
    func bookmark(_ revision: Int64, endsInitialEvents: Bool) -> [UInt8] {
        var object: JSON = [
            "kind": .string(served.kind), "apiVersion": .string(served.apiVersion),
            "metadata": ["resourceVersion": .string(String(revision)), "creationTimestamp": .null],
        ]
        if endsInitialEvents { object["metadata", "annotations"] = ["k8s.io/initial-events-end": "true"] }
        switch form.shape {
        case .object: break
        case .metadata(let version): object = Self.partial(object, version)
        case .table(let include, let version):
            var table = TableRenderer.table(
                items: [object], definition: served, include: include, now: now, resourceVersion: String(revision),
                columns: false)
            if var row = table["rows"]?.array?.first {
                row["object"] = Self.partial(object, version)
                table["rows"] = [row]
            }
            object = Self.label(table, version)
        }
        guard form.encoding == .protobuf else { return frame("BOOKMARK", object.encoded()) }
        let message = form.shape == .object ? served.message : Self.partialMessage ?? served.message
        return frame("BOOKMARK", ProtobufEncoder.envelope(object, as: message))
    }

    func errorFrame(_ failure: APIFailure) -> [UInt8] {
        var status = failure.status
        if case .v1beta1(let resource, modern: false) = edge {
            status = V1Beta1.fromV1(status, resource: resource, selfLink: nil)
        }
        let encoding: ResponseForm.Encoding = form.encoding == .protobuf ? .protobuf : .json
        return frame("ERROR", Array(Self.encode(status, encoding).body.readableBytesView))
    }

    /// An event around an object's bytes: a line of JSON, or a length of four bytes (big endian) and a `WatchEvent`.
    private func frame(_ type: String, _ object: [UInt8]) -> [UInt8] {
        guard form.encoding == .protobuf else {
            var bytes: [UInt8] = []
            bytes.reserveCapacity(object.count + 40)
            bytes.append(contentsOf: "{\"type\":\"\(type)\",\"object\":".utf8)
            bytes.append(contentsOf: object)
            bytes.append(contentsOf: "}\n".utf8)
            return bytes
        }
        return ProtobufEncoder.watchFrame(type: type, object: object)
    }

    // MARK: - Parts

    private func selfLink(_ object: StoredObject) -> String? {
        guard case .v1beta1(let resource, _) = edge else { return nil }
        let base = "/api/v1beta1/\(resource)/\(object.name)"
        return definition.isNamespaced ? "\(base)?namespace=\(object.namespace)" : base
    }

    private static func partial(_ object: JSON, _ version: String) -> JSON {
        [
            "kind": "PartialObjectMetadata", "apiVersion": .string("meta.k8s.io/\(version)"),
            "metadata": object["metadata"] ?? [:],
        ]
    }

    private static func label(_ table: JSON, _ version: String) -> JSON {
        guard version != "v1" else { return table }
        var table = table
        table["apiVersion"] = .string("meta.k8s.io/\(version)")
        return table
    }
}
