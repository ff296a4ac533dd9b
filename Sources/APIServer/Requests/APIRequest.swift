import HTTPTransport
import HTTPTypes
import KubeSchema

/// A request for a resource, with what all verbs need to know of it.
struct APIRequest: Sendable {
    let http: HTTPServerRequest
    let target: RequestTarget
    let query: QueryItems
    let form: ResponseForm

    var definition: ResourceDefinition { target.definition }
    /// The resource in the version of the path; see ``RequestTarget/served``.
    var served: ResourceDefinition { target.served }
    var namespace: String? { target.namespace }
    var isHistoric: Bool { target.edge != .none }

    /// The request's place among those in flight; `nil` where they are not counted.
    let place: InFlightPlace?

    init(http: HTTPServerRequest, target: RequestTarget, query: QueryItems, place: InFlightPlace? = nil) {
        self.http = http
        self.target = target
        self.query = query
        self.place = place
        form =
            target.edge == .none
            ? ResponseForm(accept: http.head.headerFields[.accept], query: query) : .json
    }

    /// The name in the path, which the verb needs.
    func requireName() throws(APIFailure) -> String {
        guard let name = target.name, !name.isEmpty else { throw .methodNotAllowed() }
        return name
    }

    var isDryRun: Bool { query["dryRun"] != nil }

    func checkDryRun() throws(APIFailure) {
        for value in query.all("dryRun") where value != "All" {
            throw APIFailure(
                StatusDocument.failure(
                    reason: .invalid, message: "dryRun: Unsupported value: \"\(value)\": supported values: \"All\""))
        }
    }

    func fieldValidation() throws(APIFailure) -> FieldValidation {
        guard let value = query["fieldValidation"], !value.isEmpty else { return .warn }
        guard let validation = FieldValidation(rawValue: value) else {
            throw APIFailure(
                .invalid,
                "fieldValidation: Unsupported value: \"\(value)\": supported values: \"Ignore\", \"Strict\", \"Warn\"")
        }
        return validation
    }

    func body() async throws(APIFailure) -> [UInt8] {
        let bytes: [UInt8]
        do { bytes = try await http.body.collect() } catch HTTPTransportError.bodyTooLarge(let limit) {
            throw APIFailure(.requestEntityTooLarge, "Request entity too large: limit is \(limit)")
        } catch {
            throw APIFailure(.badRequest, "the request's body could not be read: \(error)")
        }
        try place?.take()
        return bytes
    }

    var contentType: String? { http.head.headerFields[.contentType] }

    /// The label selector, under either version's name.
    func labelSelector() throws(APIFailure) -> LabelSelector {
        do throws(SelectorError) {
            return try LabelSelector(parsing: query.first(of: V1Beta1.labelSelectorParameters) ?? "")
        } catch {
            throw APIFailure(.badRequest, "unable to parse requirement: \(error)")
        }
    }

    func fieldSelector() throws(APIFailure) -> FieldSelector {
        var text = query.first(of: V1Beta1.fieldSelectorParameters) ?? ""
        if isHistoric { text = V1Beta1.fieldSelector(text, resource: definition.resource) }
        text = VersionConversion.fieldSelector(text, from: served)
        do throws(SelectorError) {
            let selector = try FieldSelector(parsing: text)
            if let error = selector.unsupportedField(for: definition) { throw error }
            return selector
        } catch {
            throw APIFailure(.badRequest, "\(error)")
        }
    }
}

/// Which objects of a collection a request is about.
struct ObjectFilter: Sendable {
    let labels: LabelSelector
    let fields: FieldSelector
    /// The one object that a watch of a single object is about.
    let name: String?
    let definition: ResourceDefinition
    /// The beginning of the keys of all candidates.
    let prefix: String

    init(_ request: APIRequest, name: String? = nil) throws(APIFailure) {
        labels = try request.labelSelector()
        fields = try request.fieldSelector()
        self.name = name
        definition = request.definition
        let collection = "/registry/\(definition.resource)/"
        prefix = request.namespace.map { "\(collection)\($0)/" } ?? collection
    }

    var isEmpty: Bool { labels == .everything && fields == .everything && name == nil }

    func matches(_ object: StoredObject) -> Bool {
        (name == nil || name == object.name)
            && fields.matches { object.field($0, definition) }
            && (labels == .everything || labels.matches(object.labels))
    }
}
