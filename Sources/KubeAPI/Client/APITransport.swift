package import KubeSchema

/// One request to the API, before it takes the form of HTTP.
package struct APIRequest: Sendable {
    package enum Method: String, Sendable {
        case get = "GET", post = "POST", put = "PUT", patch = "PATCH", delete = "DELETE"
    }

    package var method: Method
    /// Begins with a slash, is percent-encoded.
    package var path: String
    /// Not yet encoded.
    package var query: [(name: String, value: String)]
    package var contentType: String?
    package var body: [UInt8]?

    package init(
        _ method: Method, _ path: String, query: [(name: String, value: String)] = [], contentType: String? = nil,
        body: [UInt8]? = nil
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.contentType = contentType
        self.body = body
    }

    /// With a JSON body.
    package init(_ method: Method, _ path: String, document: JSON) {
        self.init(method, path, contentType: "application/json", body: document.encoded())
    }

    /// Path and query as they stand in the request line.
    package var target: String {
        guard !query.isEmpty else { return path }
        return path + "?"
            + query.map { percentEncoded($0.name) + "=" + percentEncoded($0.value) }.joined(separator: "&")
    }
}

/// Carries requests to an API server: over HTTP, or in a test to one in memory.
package protocol APITransport: Sendable {
    /// Sends the request and returns the document of the answer, which is one of success.
    func send(_ request: APIRequest) async throws(APIError) -> JSON

    /// Sends the request and hands each document of the streamed answer to `receive`, in order; the stream is not read
    /// on while `receive` runs. Returns when the server ends the stream or `receive` returns `false`.
    func stream(
        _ request: APIRequest, _ receive: @Sendable (JSON) async throws(APIError) -> Bool
    ) async throws(APIError)
}
