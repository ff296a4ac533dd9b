package import KubeSchema

/// Names a resource of the API: where it is served and how its objects are called.
package struct ResourceReference: Sendable, Hashable {
    /// Empty for the core group.
    package var group: String
    package var version: String
    /// As in the path: `pods`.
    package var plural: String
    package var kind: String
    package var isNamespaced: Bool

    package init(group: String = "", version: String = "v1", plural: String, kind: String, isNamespaced: Bool = true) {
        self.group = group
        self.version = version
        self.plural = plural
        self.kind = kind
        self.isNamespaced = isNamespaced
    }

    /// `v1` or `apps/v1`.
    package var apiVersion: String { group.isEmpty ? version : group + "/" + version }

    /// The path of the resource, of one object or of one of its subresources.
    ///
    /// - Parameters:
    ///   - namespace: `nil` for all namespaces, and for resources that have none.
    package func path(namespace: String? = nil, name: String? = nil, subresource: String? = nil) -> String {
        var path = group.isEmpty ? "/api/" + version : "/apis/" + group + "/" + version
        if isNamespaced, let namespace { path += "/namespaces/" + percentEncoded(namespace) }
        path += "/" + plural
        if let name { path += "/" + percentEncoded(name) }
        if let subresource { path += "/" + subresource }
        return path
    }
}

/// Identifies an object within its resource.
package struct ObjectKey: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// Empty for objects that belong to no namespace.
    package var namespace: String
    package var name: String

    package init(namespace: String = "", name: String) {
        self.namespace = namespace
        self.name = name
    }

    /// `namespace/name`, or only the name.
    package var description: String { namespace.isEmpty ? name : namespace + "/" + name }

    package static func < (left: ObjectKey, right: ObjectKey) -> Bool {
        (left.namespace, left.name) < (right.namespace, right.name)
    }
}

/// An API object: a typed view on its document.
package protocol KubeObject: DocumentView {
    static var resource: ResourceReference { get }
}

extension KubeObject {
    /// A new object with kind, apiVersion and name set.
    package init(name: String, namespace: String? = nil) {
        self.init(document: [
            "apiVersion": .string(Self.resource.apiVersion), "kind": .string(Self.resource.kind),
            "metadata": ["name": .string(name)],
        ])
        if let namespace { metadata.namespace = namespace }
    }

    package var metadata: ObjectMetadata {
        get { self[view: "metadata"] }
        set { self[view: "metadata"] = newValue }
    }

    package var key: ObjectKey { ObjectKey(namespace: metadata.namespace ?? "", name: metadata.name) }

    /// Names this object in events, bindings and endpoints.
    package var reference: ObjectReference {
        var reference = ObjectReference()
        reference.kind = Self.resource.kind
        reference.apiVersion = Self.resource.apiVersion
        reference.namespace = metadata.namespace
        reference.name = metadata.name
        reference.uid = metadata.uid
        reference.resourceVersion = metadata.resourceVersion
        return reference
    }
}

/// The `metadata` of an object.
package struct ObjectMetadata: DocumentView {
    package var document: JSON
    package init(document: JSON) { self.document = document }

    /// Empty when there is none yet, as in a template.
    package var name: String {
        get { self["name"] ?? "" }
        set { self["name"] = newValue }
    }
    package var generateName: String? {
        get { self["generateName"] }
        set { self["generateName"] = newValue }
    }
    package var namespace: String? {
        get { self["namespace"] }
        set { self["namespace"] = newValue }
    }
    /// Empty before the server has given one.
    package var uid: String {
        get { self["uid"] ?? "" }
        set { self["uid"] = newValue }
    }
    package var resourceVersion: String? {
        get { self["resourceVersion"] }
        set { self["resourceVersion"] = newValue }
    }
    package var generation: Int64? {
        get { self["generation"] }
        set { self["generation"] = newValue }
    }
    package var labels: [String: String] {
        get { self[map: "labels"] }
        set { self[map: "labels"] = newValue }
    }
    package var annotations: [String: String] {
        get { self[map: "annotations"] }
        set { self[map: "annotations"] = newValue }
    }
    package var finalizers: [String] {
        get { self[list: "finalizers"] }
        set { self[list: "finalizers"] = newValue }
    }
    package var ownerReferences: [OwnerReference] {
        get { self[list: "ownerReferences"] }
        set { self[list: "ownerReferences"] = newValue }
    }
    package var creationTimestamp: Timestamp? {
        get { self["creationTimestamp"] }
        set { self["creationTimestamp"] = newValue }
    }
    /// When the object is to be gone; set once its deletion has begun.
    package var deletionTimestamp: Timestamp? {
        get { self["deletionTimestamp"] }
        set { self["deletionTimestamp"] = newValue }
    }
    package var deletionGracePeriodSeconds: Int64? {
        get { self["deletionGracePeriodSeconds"] }
        set { self["deletionGracePeriodSeconds"] = newValue }
    }
    package var isBeingDeleted: Bool { document["deletionTimestamp"]?.string != nil }

    /// The owner that manages this object, of which there is at most one.
    package var controller: OwnerReference? { ownerReferences.first { $0.isController } }
}

package struct OwnerReference: DocumentView {
    package var document: JSON
    package init(document: JSON) { self.document = document }

    /// A reference to `owner` as the controller of the object that carries it.
    package init(controller owner: some KubeObject) {
        self.init(document: [
            "apiVersion": .string(type(of: owner).resource.apiVersion),
            "kind": .string(type(of: owner).resource.kind),
            "name": .string(owner.metadata.name), "uid": .string(owner.metadata.uid),
            "controller": true, "blockOwnerDeletion": true,
        ])
    }

    package var apiVersion: String { self["apiVersion"] ?? "" }
    package var kind: String { self["kind"] ?? "" }
    package var name: String { self["name"] ?? "" }
    package var uid: String { self["uid"] ?? "" }
    package var isController: Bool { self["controller"] ?? false }
    package var blocksOwnerDeletion: Bool { self["blockOwnerDeletion"] ?? false }
}

/// Names an object, wherever another one speaks of it.
package struct ObjectReference: DocumentView {
    package var document: JSON
    package init(document: JSON) { self.document = document }

    package var kind: String? {
        get { self["kind"] }
        set { self["kind"] = newValue }
    }
    package var apiVersion: String? {
        get { self["apiVersion"] }
        set { self["apiVersion"] = newValue }
    }
    package var namespace: String? {
        get { self["namespace"] }
        set { self["namespace"] = newValue }
    }
    package var name: String? {
        get { self["name"] }
        set { self["name"] = newValue }
    }
    package var uid: String? {
        get { self["uid"] }
        set { self["uid"] = newValue }
    }
    package var resourceVersion: String? {
        get { self["resourceVersion"] }
        set { self["resourceVersion"] = newValue }
    }
    /// Such as `spec.containers{nginx}`.
    package var fieldPath: String? {
        get { self["fieldPath"] }
        set { self["fieldPath"] = newValue }
    }
}

/// `text` with every byte outside RFC 3986's unreserved set percent-encoded.
package func percentEncoded(_ text: String) -> String {
    var result = [UInt8]()
    result.reserveCapacity(text.utf8.count)
    let digits = Array("0123456789ABCDEF".utf8)
    for byte in text.utf8 {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f, 0x7e: result.append(byte)
        default: result += [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }
    return String(decoding: result, as: UTF8.self)
}
