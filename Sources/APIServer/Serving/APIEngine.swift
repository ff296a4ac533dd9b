package import ClusterStore
import FoundationEssentials
package import HTTPTransport
import HTTPTypes
import KubeSchema
package import Logging
import NIOCore
import ServiceLifecycle

/// What an API server is told at start.
package struct APIServerConfiguration: Sendable {
    /// Service addresses; the `kubernetes` service gets the first.
    package var serviceNetwork: ServiceNetwork
    /// Where the `kubernetes` service leads to; `nil` makes no endpoints for it.
    package var advertised: (address: String, port: Int)?
    package var kubelet = KubeletAccess()
    /// Whether requests that come without TLS are let in. With TLS a client certificate is always needed.
    package var allowsPlain = true
    /// Seconds that events are kept.
    package var eventTimeToLive: Int64 = 3600
    /// How often the store's history is cut back to what it was one interval ago.
    package var compactionInterval: Duration = .seconds(300)
    /// Reads and writes served at once, watches and streams aside; what comes beyond is answered with 429. 0 for any
    /// number. The defaults are a kube-apiserver's.
    package var maximumReadsInFlight = 400
    package var maximumWritesInFlight = 200

    package init(serviceNetwork: ServiceNetwork) { self.serviceNetwork = serviceNetwork }
}

/// The Kubernetes API over a store: an ``HTTPHandler`` for any number of ``HTTPServer``s, and the service that keeps its
/// caches up to date.
package final class APIEngine: HTTPHandler, Service, CustomStringConvertible {
    let configuration: APIServerConfiguration
    let registry: Registry
    let catalogue: ResourceCatalogue
    let discovery: Discovery
    let openAPI: OpenAPIService
    let logger: Logger
    let tokens: ServiceAccountTokens
    private let store: any ClusterStore
    private let inFlight: InFlightLimit

    package init(configuration: APIServerConfiguration, store: any ClusterStore, logger: Logger) {
        self.configuration = configuration
        self.store = store
        self.logger = logger
        inFlight = InFlightLimit(
            reading: configuration.maximumReadsInFlight, writing: configuration.maximumWritesInFlight)
        tokens = ServiceAccountTokens(store: store)
        catalogue = .builtin
        discovery = Discovery(catalogue)
        openAPI = OpenAPIService(catalogue, version: Self.version["gitVersion"]?.string ?? "")
        registry = Registry(
            store: store, caches: CacheSet(store: store, catalogue: catalogue, logger: logger), catalogue: catalogue,
            settings: RegistrySettings(
                serviceNetwork: configuration.serviceNetwork, eventTimeToLive: configuration.eventTimeToLive),
            logger: logger, now: { Timestamp(seconds: Int64(Date().timeIntervalSince1970)) })
    }

    package var description: String { "API engine" }

    /// Whether the caches have been filled and the namespaces that must exist do.
    package var isReady: Bool { registry.caches.isReady }

    /// Keeps the caches up to date and the server's own objects in place, until cancelled or asked to stop.
    package func run() async throws {
        await cancelWhenGracefulShutdown { [self] in
            await withTaskGroup { group in
                group.addTask { [self] in try? await registry.caches.run() }
                group.addTask { [self] in await OwnObjects(registry, configuration, logger).run() }
                group.addTask { [self] in
                    await StoreCompactor(store: store, interval: configuration.compactionInterval, logger: logger).run()
                }
            }
        }
        for cache in registry.caches.all { cache.endWatches() }
    }

    // MARK: - Requests

    package func respond(to request: HTTPServerRequest, writer: HTTPResponseWriter) async throws {
        do throws(APIFailure) {
            var request = request
            request.peer = try await authenticate(request)
            let query = QueryItems(request.query)
            if let target = ProxyTarget(request.path, namespace: query["namespace"]) {
                return try await proxy(target, request, writer)
            }
            let segments = request.path.split(separator: "/").map { QueryItems.decode($0.utf8) }
            if let target = RequestTarget(segments, query: query, catalogue: catalogue) {
                let isReading = request.head.method == .get || request.head.method == .head
                let place = InFlightPlace(inFlight, isReading ? .reading : .writing)
                let request = APIRequest(http: request, target: target, query: query, place: place)
                // A write takes its place when its body has come, which may take its time.
                if isReading, !request.isLongRunning { try place.take() }
                try await serve(request, writer)
            } else {
                try await serveOther(segments, request, writer)
            }
        } catch {
            respond(error, to: request, writer)
        }
    }

    /// Who asks: whom the client's certificate or token names; nobody in particular where none is needed.
    private func authenticate(_ request: HTTPServerRequest) async throws(APIFailure) -> PeerIdentity? {
        if let peer = request.peer { return peer }
        if let token = bearerToken(request), let identity = try await identity(ofToken: token) { return identity }
        if !request.isSecure, configuration.allowsPlain { return nil }
        // Load balancers and `curl -k` ask these without credentials, as they may of a kube-apiserver.
        if ["/healthz", "/livez", "/readyz", "/version"].contains(request.path) { return nil }
        throw APIFailure(.unauthorized, "Unauthorized")
    }

    /// A failure as Status in the version of the path.
    private func respond(_ failure: APIFailure, to request: HTTPServerRequest, _ writer: HTTPResponseWriter) {
        if failure.code >= 500 {
            logger.warning(
                "request failed",
                metadata: ["path": "\(request.head.path ?? "")", "error": "\(failure.status["message"]?.string ?? "")"])
        }
        // Today's clients, who use the /namespaces/ form, know only the Status of v1.
        let historic = request.path.hasPrefix("/api/v1beta1/") && !request.path.hasPrefix("/api/v1beta1/namespaces/")
        let body = historic ? V1Beta1.fromV1(failure.status, resource: "", selfLink: nil) : failure.status
        let form = historic ? .json : ResponseForm(accept: request.head.headerFields[.accept], query: QueryItems(""))
        let answer = ObjectPresenter.encode(body, form.encoding)
        var fields: HTTPFields = [.contentType: answer.contentType]
        if let seconds = failure.retryAfter { fields[.retryAfter] = String(seconds) }
        if failure.code == 401 { fields[.wwwAuthenticate] = "Bearer realm=\"kubernetes\"" }
        writer.respond(
            HTTPResponse(status: HTTPResponse.Status(code: failure.code), headerFields: fields),
            body: answer.body)
    }

    private func serve(_ request: APIRequest, _ writer: HTTPResponseWriter) async throws(APIFailure) {
        if let subresource = request.target.subresource {
            return try await serve(subresource: subresource, request, writer)
        }
        guard request.form.isAcceptable else { throw .notAcceptable() }
        let method = request.http.head.method
        if request.target.name == nil {
            switch method {
            case .get where request.target.isWatchPath || request.query.flag("watch"): try await watch(request, writer)
            case .get, .head: try await list(request, writer)
            case .post: try await create(request, writer)
            case .delete: try await deleteCollection(request, writer)
            default: throw .methodNotAllowed()
            }
            return
        }
        if request.definition.isNamespaced, request.namespace == nil { throw .unknownPath() }
        switch method {
        case .get where request.target.isWatchPath || request.query.flag("watch"): try await watch(request, writer)
        case .get, .head: try await get(request, writer)
        case .put: try await put(request, writer)
        case .patch: try await patch(request, writer)
        case .delete: try await delete(request, writer)
        default: throw .methodNotAllowed()
        }
    }
}

extension APIEngine {
    func send(
        _ code: Int, _ body: [UInt8], _ writer: HTTPResponseWriter, contentType: String = "application/json",
        warnings: [String] = []
    ) {
        send(code, EncodedAnswer(body, contentType), writer, warnings: warnings)
    }

    func send(_ code: Int, _ answer: EncodedAnswer, _ writer: HTTPResponseWriter, warnings: [String] = []) {
        var fields: HTTPFields = [.contentType: answer.contentType]
        for warning in warnings {
            // RFC 9110 deprecated it, Kubernetes clients print it: 299, no agent, quoted text.
            let text = warning.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : $0.isNewline ? " " : "\($0)" }.joined()
            if let name = HTTPField.Name("Warning") { fields.append(HTTPField(name: name, value: "299 - \"\(text)\"")) }
        }
        writer.respond(
            HTTPResponse(status: HTTPResponse.Status(code: code), headerFields: fields), body: answer.body)
    }

    func presenter(_ request: APIRequest) -> ObjectPresenter { ObjectPresenter(request, now: registry.now().seconds) }
}
