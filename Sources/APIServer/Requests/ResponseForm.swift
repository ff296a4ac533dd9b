import KubeSchema

/// The form in which a client wants objects: the first of its Accept header's that is served.
enum ResponseForm: Sendable, Equatable {
    case json
    /// `version` as the client named it, `v1` or `v1beta1`.
    case table(TableRenderer.Inclusion, version: String)
    /// `PartialObjectMetadata` and its list.
    case metadata

    /// A client that takes nothing of what is served gets JSON: all of them understand it.
    init(accept: String?, query: QueryItems) {
        for type in (accept ?? "").split(separator: ",") {
            let parts = type.split(separator: ";").map { $0.filter { $0 != " " } }
            guard let name = parts.first?.lowercased() else { continue }
            if name == "*/*" || name == "application/*" { break }
            guard name == "application/json" else { continue }
            let parameters = Dictionary(
                parts.dropFirst().compactMap { part -> (String, String)? in
                    guard let cut = part.firstIndex(of: "=") else { return nil }
                    return (part[..<cut].lowercased(), String(part[part.index(after: cut)...]))
                }, uniquingKeysWith: { first, _ in first })
            switch parameters["as"] {
            case nil:
                self = .json
                return
            case "Table"? where parameters["g"] == "meta.k8s.io":
                let include = query["includeObject"].flatMap(TableRenderer.Inclusion.init(rawValue:)) ?? .metadata
                self = .table(include, version: parameters["v"] ?? "v1")
                return
            case "PartialObjectMetadata"?, "PartialObjectMetadataList"?:
                self = .metadata
                return
            default: continue
            }
        }
        self = .json
    }
}
