import HTTPTypes
import NIOHTTP1

extension HTTPRequest {
    /// Takes over an HTTP/1 head; the `Host` field becomes the authority. Fields whose names are no tokens are left out.
    init(_ head: HTTPRequestHead, isSecure: Bool) {
        var fields = HTTPFields()
        fields.reserveCapacity(head.headers.count)
        var authority: String?
        for (name, value) in head.headers {
            if authority == nil, name.utf8.count == 4, name.lowercased() == "host" {
                authority = value
            } else if let name = HTTPField.Name(name) {
                fields.append(HTTPField(name: name, value: value))
            }
        }
        self.init(
            method: Method(rawValue: head.method.rawValue) ?? .get, scheme: isSecure ? "https" : "http",
            authority: authority, path: head.uri, headerFields: fields)
    }
}

extension HTTPResponseHead {
    init(_ response: HTTPResponse) {
        var headers = HTTPHeaders()
        headers.reserveCapacity(response.headerFields.count + 2)
        for field in response.headerFields { headers.add(name: field.name.rawName, value: field.value) }
        self.init(
            version: .http1_1,
            status: HTTPResponseStatus(statusCode: response.status.code, reasonPhrase: response.status.reasonPhrase),
            headers: headers)
    }
}

extension HTTPResponse.Status {
    var forbidsBody: Bool { code < 200 || code == 204 || code == 304 }
}
