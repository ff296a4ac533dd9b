import KubeSchema

/// The form in which a client wants objects: what its Accept header likes best of what is served.
struct ResponseForm: Sendable, Equatable {
    enum Encoding: Sendable, Equatable { case json, yaml, protobuf }

    /// What of an object is shown.
    enum Shape: Sendable, Equatable {
        case object
        /// `version` as the client named it, `v1` or `v1beta1`.
        case table(TableRenderer.Inclusion, version: String)
        /// `PartialObjectMetadata` and its list.
        case metadata(version: String)
    }

    var encoding = Encoding.json
    var shape = Shape.object
    /// False when the client takes nothing of what is served; answers are JSON then, the first being 406.
    var isAcceptable = true

    static let json = ResponseForm()

    /// What the 406 says.
    static let mediaTypes = "application/json, application/yaml, application/vnd.kubernetes.protobuf"
    static let protobufType = "application/vnd.kubernetes.protobuf"

    var isTable: Bool { if case .table = shape { true } else { false } }

    var contentType: String {
        switch encoding {
        case .json: "application/json"
        case .yaml: "application/yaml"
        case .protobuf: Self.protobufType
        }
    }

    /// The Content-Type of a watch; of protobuf each event is preceded by its length.
    var watchContentType: String {
        encoding == .protobuf ? "\(Self.protobufType);stream=watch" : "application/json"
    }

    /// Reads an Accept header (RFC 9110 section 12.5.1). Among types of the same weight the first wins.
    init(accept: String?, query: QueryItems) {
        guard let accept, accept != "application/json", accept != "*/*", !accept.isEmpty else { return }
        var best = 0.0
        for clause in accept.split(separator: ",") {
            let parts = clause.split(separator: ";").map { $0.filter { $0 != " " } }
            guard let name = parts.first?.lowercased(), let encoding = Self.encoding(name) else { continue }
            var parameters: [String: String] = [:]
            for part in parts.dropFirst() {
                guard let cut = part.firstIndex(of: "=") else { continue }
                parameters[part[..<cut].lowercased()] = String(part[part.index(after: cut)...])
            }
            let weight = parameters["q"].map { Double($0) ?? 0 } ?? 1
            guard weight > best, let shape = Self.shape(parameters, encoding, query) else { continue }
            best = weight
            self.encoding = encoding
            self.shape = shape
        }
        isAcceptable = best > 0
    }

    private init() {}

    private static func encoding(_ type: String) -> Encoding? {
        switch type {
        case "application/json", "*/*", "application/*": .json
        case "application/yaml": .yaml
        case protobufType: .protobuf
        default: nil
        }
    }

    /// `nil` for a transformation that is not known, or that the encoding has no messages for.
    private static func shape(_ parameters: [String: String], _ encoding: Encoding, _ query: QueryItems) -> Shape? {
        guard let kind = parameters["as"] else { return .object }
        guard parameters["g"] == "meta.k8s.io" else { return nil }
        let version = parameters["v"] ?? "v1"
        guard version == "v1" || version == "v1beta1" else { return nil }
        switch kind {
        case "Table" where encoding != .protobuf:
            return .table(
                query["includeObject"].flatMap(TableRenderer.Inclusion.init(rawValue:)) ?? .metadata, version: version)
        case "PartialObjectMetadata", "PartialObjectMetadataList": return .metadata(version: version)
        default: return nil
        }
    }
}
