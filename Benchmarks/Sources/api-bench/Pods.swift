/// The requests of the workloads. The pods are about 1.7 kB as a server stores them.
enum Pods {
    static let namespace = "bench"
    static let collection = "/api/v1/namespaces/\(namespace)/pods"

    static func get(_ path: String, accept: String = "application/json") -> [UInt8] {
        Array("GET \(path) HTTP/1.1\r\nHost: bench\r\nAccept: \(accept)\r\n\r\n".utf8)
    }

    static func post(_ path: String, _ body: String) -> [UInt8] {
        Array(
            "POST \(path) HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
                .utf8)
    }

    static func createNamespace() -> [UInt8] {
        post("/api/v1/namespaces", #"{"kind":"Namespace","apiVersion":"v1","metadata":{"name":"\#(namespace)"}}"#)
    }

    /// - Parameter node: Where the pod says it runs already, for watches that select by it.
    static func create(_ name: String, node: String? = nil) -> [UInt8] {
        let place = node.map { #""nodeName":"\#($0)","# } ?? ""
        return post(
            collection,
            #"{"kind":"Pod","apiVersion":"v1","metadata":{"name":"\#(name)","namespace":"\#(namespace)","#
                + #""labels":{"app":"web","tier":"frontend"}},"spec":{\#(place)"containers":[{"name":"web","#
                + #""image":"registry.example.org/shop/web:v1.27.3","ports":[{"containerPort":8080}],"#
                + #""resources":{"requests":{"cpu":"100m","memory":"128Mi"}}}]}}"#)
    }
}
