import KubeSchema

/// One version of one object, as the store has it: never changed, shared by every list and watch that shows it.
final class StoredObject: Sendable {
    /// The store's key.
    let key: String
    /// The store's revision of this version, which is its `resourceVersion`.
    let revision: Int64
    /// The document, `metadata.resourceVersion` included.
    let document: JSON
    /// `document` as bytes, encoded once for all who read it.
    let encoded: [UInt8]
    let name: String
    let namespace: String

    init(key: String, revision: Int64, document: JSON) {
        var document = document
        document["metadata", "resourceVersion"] = .string(String(revision))
        self.key = key
        self.revision = revision
        name = document["metadata", "name"]?.string ?? ""
        namespace = document["metadata", "namespace"]?.string ?? ""
        encoded = document.encoded()
        self.document = document
    }

    /// Reads a stored value; `nil` when it is no JSON object, which only a foreign writer can have put there.
    convenience init?(key: String, revision: Int64, value: [UInt8]) {
        guard let document = try? JSON(parsing: value), case .object = document else { return nil }
        self.init(key: key, revision: revision, document: document)
    }

    var uid: String { document["metadata", "uid"]?.string ?? "" }

    /// What goes into the store: the document without its version, which the store itself knows.
    static func value(of document: JSON) -> [UInt8] {
        var document = document
        document["metadata", "resourceVersion"] = nil
        return document.encoded()
    }
}

/// One change of one object.
struct CacheEvent: Sendable {
    enum Kind: Sendable { case added, modified, deleted }
    let kind: Kind
    let revision: Int64
    /// The object after the change; of a deletion its last state, with the revision of the deletion.
    let object: StoredObject
    /// The object before a modification.
    let previous: StoredObject?
}
