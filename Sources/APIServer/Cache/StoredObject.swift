import KubeSchema
import Synchronization

/// One version of one object, as the store has it: never changed, shared by every list and watch that shows it.
///
/// Kept as the bytes that go out. What a request must look at is found in them, or parsed for as long as it is needed;
/// a parsed pod takes ten times the memory of its bytes.
final class StoredObject: Sendable {
    /// The store's key.
    let key: String
    /// The store's revision of this version, which is its `resourceVersion`.
    let revision: Int64
    /// The document as JSON, `metadata.resourceVersion` included: written to any number of clients.
    let encoded: [UInt8]
    /// Of an object that a request is at work on.
    private let parsed: JSON?
    private let gzip = Mutex<Gzip.Part?>(nil)

    private init(key: String, revision: Int64, encoded: [UInt8], parsed: JSON?) {
        self.key = key
        self.revision = revision
        self.encoded = encoded
        self.parsed = parsed
    }

    /// An object that a request has made.
    convenience init(key: String, revision: Int64, document: JSON) {
        var document = document
        document["metadata", "resourceVersion"] = .string(String(revision))
        self.init(key: key, revision: revision, encoded: document.encoded(), parsed: document)
    }

    /// An object that has just been stored: `value` is what went into the store for `document`.
    convenience init(key: String, revision: Int64, value: [UInt8], document: JSON) {
        guard let encoded = ObjectBytes.settingVersion(revision, in: value, isChecked: true) else {
            self.init(key: key, revision: revision, document: document)
            return
        }
        var document = document
        document["metadata", "resourceVersion"] = .string(String(revision))
        self.init(key: key, revision: revision, encoded: encoded, parsed: document)
    }

    /// Reads a stored value; `nil` when it is no JSON object, which only a foreign writer can have put there.
    convenience init?(key: String, revision: Int64, value: [UInt8]) {
        if let encoded = ObjectBytes.settingVersion(revision, in: value, isChecked: false) {
            self.init(key: key, revision: revision, encoded: encoded, parsed: nil)
            return
        }
        guard var document = try? JSON(parsing: value), case .object = document else { return nil }
        document["metadata", "resourceVersion"] = .string(String(revision))
        self.init(key: key, revision: revision, encoded: document.encoded(), parsed: nil)
    }

    /// The document, `metadata.resourceVersion` included. Parsed anew each time unless ``parsedOnce`` has been asked for.
    var document: JSON { parsed ?? (try? JSON(parsing: encoded)) ?? [:] }

    /// The same version for someone who will look at its document several times.
    var parsedOnce: StoredObject {
        parsed != nil ? self : StoredObject(key: key, revision: revision, encoded: encoded, parsed: document)
    }

    /// The same state under another version: what a client is told of an object that has left its view.
    func at(_ revision: Int64) -> StoredObject {
        let bytes = ObjectBytes.settingVersion(revision, in: encoded, isChecked: true) ?? encoded
        return StoredObject(key: key, revision: revision, encoded: bytes, parsed: nil)
    }

    /// The last part of the key.
    var name: String {
        key.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(key[key.utf8.index(after: $0)...]) } ?? key
    }

    /// The part of the key before the name; empty for objects that are in no namespace.
    var namespace: String {
        let parts = key.split(separator: "/")  // registry, resource, namespace, name
        return parts.count > 3 ? String(parts[parts.count - 2]) : ""
    }

    var uid: String { ObjectBytes.string(at: ["metadata", "uid"], in: encoded) ?? "" }
    var labels: [String: String] { ObjectBytes.strings(at: ["metadata", "labels"], in: encoded) }

    /// The value of a field by which objects can be selected.
    func field(_ name: String, _ definition: ResourceDefinition) -> String? {
        let path = name.split(separator: ".").map(String.init)
        if path.count == 2, name != "status.podIPs" {
            // The selector's own rules, on a document of the one field that they look at.
            let value = ObjectBytes.value(at: path, in: encoded)
            let document: JSON = value.map { [path[0]: [path[1]: $0]] } ?? [:]
            return FieldSelector.value(of: name, in: document, definition)
        }
        return FieldSelector.value(of: name, in: document, definition)
    }

    /// `encoded` and a comma, compressed, if a list has been asked for in that form.
    var compressed: Gzip.Part? { gzip.withLock { $0 } }

    /// Compresses `encoded` and a comma, once for all lists.
    func compress(with deflater: borrowing Deflater) -> Gzip.Part {
        let part = deflater.part(encoded + [UInt8(ascii: ",")])
        gzip.withLock { $0 = part }
        return part
    }

    /// What goes into the store: the document without its version, which the store itself knows.
    static func value(of document: JSON) -> [UInt8] {
        var document = document
        document["metadata", "resourceVersion"] = nil
        return document.encoded()
    }
}

/// One change of one object.
final class CacheEvent: Sendable {
    enum Kind: Sendable { case added, modified, deleted }
    let kind: Kind
    let revision: Int64
    /// The object after the change; of a deletion its last state, with the revision of the deletion.
    let object: StoredObject
    /// The object before a modification.
    let previous: StoredObject?

    init(kind: Kind, revision: Int64, object: StoredObject, previous: StoredObject?) {
        self.kind = kind
        self.revision = revision
        self.object = object
        self.previous = previous
    }
}
