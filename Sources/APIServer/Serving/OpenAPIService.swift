import HTTPTransport
import HTTPTypes
import KubeSchema
import NIOCore
import Synchronization

/// Serves the OpenAPI documents. Each is made and encoded when first asked for, and kept.
final class OpenAPIService: Sendable {
    /// The media type of the protobuf form as its servers name it: with the `@` of the Accept header it would not parse
    /// as a MIME type.
    private static let protobufType = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
    private static let protobufName = "application/com.github.proto-openapi.spec.v2"

    private let documents: OpenAPI
    private let known = Mutex<[String: Document]>([:])

    struct Document: Sendable {
        let body: ByteBuffer
        let contentType: String
        /// Changes with the content.
        let hash: String
    }

    init(_ catalogue: ResourceCatalogue, version: String) {
        documents = OpenAPI(catalogue, version: version)
    }

    /// The answer to a GET of `/openapi/…`; `nil` for a path that there is nothing at.
    func answer(_ segments: [String], _ request: HTTPServerRequest) -> (head: HTTPResponse, body: ByteBuffer)? {
        let wanted = QueryItems(request.query)["hash"]
        guard segments.first == "openapi", segments.count >= 2 else { return nil }
        switch segments[1] {
        case "v2" where segments.count == 2:
            let accept = request.head.headerFields[.accept] ?? ""
            return respond(accept.contains(Self.protobufName) ? v2Protobuf : v2JSON, request, hash: nil)
        case "v3" where segments.count == 2: return respond(root, request, hash: nil)
        case "v3":
            let path = segments.dropFirst(2).joined(separator: "/")
            guard let document = v3(path) else { return nil }
            if let wanted, wanted != document.hash {
                let location = Self.location(path, document.hash)
                let fields: HTTPFields = [.location: location]
                return (HTTPResponse(status: .movedPermanently, headerFields: fields), ByteBuffer())
            }
            return respond(document, request, hash: wanted)
        default: return nil
        }
    }

    /// - Parameter hash: The hash by which the client asked, which makes the answer good for ever.
    private func respond(_ document: Document, _ request: HTTPServerRequest, hash: String?) -> (
        HTTPResponse, ByteBuffer
    ) {
        let tag = "\"\(document.hash)\""
        var fields: HTTPFields = [
            .contentType: document.contentType, .eTag: tag, .vary: "Accept",
            .cacheControl: hash == nil ? "no-cache, private" : "public, immutable, max-age=31536000",
        ]
        if request.head.headerFields[.ifNoneMatch] == tag {
            fields[.contentType] = nil
            return (HTTPResponse(status: .notModified, headerFields: fields), ByteBuffer())
        }
        return (HTTPResponse(status: .ok, headerFields: fields), document.body)
    }

    // MARK: - Documents

    private static func location(_ path: String, _ hash: String) -> String { "/openapi/v3/\(path)?hash=\(hash)" }

    private var root: Document {
        document("v3") {
            var paths: JSON = [:]
            for path in documents.groupVersions {
                guard let document = v3(path) else { continue }
                paths[path] = ["serverRelativeURL": .string(Self.location(path, document.hash))]
            }
            let root: JSON = ["paths": paths]
            return (root.encoded(), "application/json")
        }
    }

    private func v3(_ path: String) -> Document? {
        guard documents.groupVersions.contains(path) else { return nil }
        return document("v3/\(path)") { ((documents.v3(path) ?? [:]).encoded(), "application/json") }
    }

    private var v2JSON: Document { document("v2") { (documents.v2().encoded(), "application/json") } }

    private var v2Protobuf: Document {
        document("v2.pb") { (GnosticEncoder.document(documents.v2()), Self.protobufType) }
    }

    /// Makes a document outside the lock: two who come at the same time make it twice, which does no harm.
    private func document(_ key: String, _ make: () -> ([UInt8], String)) -> Document {
        if let document = known.withLock({ $0[key] }) { return document }
        let (bytes, type) = make()
        let document = Document(body: ByteBuffer(bytes: bytes), contentType: type, hash: Self.hash(bytes))
        known.withLock { $0[key] = document }
        return document
    }

    /// FNV-1a of 64 bits (Fowler, Noll, Vo), in hexadecimal: tells contents apart, protects nothing.
    private static func hash(_ bytes: [UInt8]) -> String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        let digits = String(hash, radix: 16, uppercase: true)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}
