public import GRPCCore
public import NIOCore

/// How one method of a gRPC service is served.
public enum GRPCMethod: Sendable {
    /// One message in, one out. Called on the connection's event loop: it must not block, and answers when it likes.
    case unary(@Sendable (_ request: [UInt8], _ reply: GRPCReply) -> Void)
    /// Any number of messages either way. Makes the receiver of one call, on the call's event loop.
    case streaming(@Sendable (GRPCServerStream) -> any GRPCStreamReceiver)
}

/// The server's side of one streaming call. All calls come on the event loop of its stream.
public protocol GRPCStreamReceiver: AnyObject {
    func receive(_ message: [UInt8])
    /// The client has sent its last message.
    func receivedEnd()
    /// ``GRPCServerStream/isWritable`` has become true again.
    func becameWritable()
    /// The stream is gone, by whichever side. Nothing is called any more.
    func ended()
}

/// Answers one unary call, once, from any thread. What comes after the client has gone away is dropped.
public struct GRPCReply: Sendable {
    let handler: NIOLoopBound<ServerCallHandler>
    let eventLoop: any EventLoop

    public func send(_ message: [UInt8]) { perform { $0.answer(message) } }

    public func fail(_ status: Status) { perform { $0.finish(status) } }

    private func perform(_ body: @escaping @Sendable (ServerCallHandler) -> Void) {
        if eventLoop.inEventLoop { return body(handler.value) }
        eventLoop.execute { body(handler.value) }
    }
}

/// The wire of one streaming call. May be held anywhere, used only on its event loop.
public struct GRPCServerStream: Sendable {
    let handler: NIOLoopBound<ServerCallHandler>
    public let eventLoop: any EventLoop

    /// Whether what is sent goes to the wire; while not, it waits in memory.
    public var isWritable: Bool { handler.value.isWritable }

    public func send(_ message: [UInt8]) { handler.value.send(message) }

    /// Ends the call.
    public func finish(_ status: Status) { handler.value.finish(status) }
}

/// Finds methods by the path of a request, and says in grpc-go's words what is wrong with one that is not there.
struct GRPCMethodTable: Sendable {
    private let methods: [String: GRPCMethod]
    private let services: Set<Substring>

    /// - Parameter methods: By path, such as `/etcdserverpb.KV/Put`.
    init(_ methods: [String: GRPCMethod]) {
        self.methods = methods
        services = Set(methods.keys.compactMap { Self.split($0)?.service })
    }

    func find(_ path: String) -> Result<GRPCMethod, RPCError> {
        if let method = methods[path] { return .success(method) }
        guard let (service, name) = Self.split(path) else {
            return .failure(RPCError(code: .unimplemented, message: "malformed method name: \"\(path)\""))
        }
        if !services.contains(service) {
            return .failure(RPCError(code: .unimplemented, message: "unknown service \(service)"))
        }
        return .failure(RPCError(code: .unimplemented, message: "unknown method \(name) for service \(service)"))
    }

    private static func split(_ path: String) -> (service: Substring, method: Substring)? {
        guard path.utf8.first == UInt8(ascii: "/"), let slash = path.lastIndex(of: "/"), slash != path.startIndex
        else { return nil }
        return (path[path.index(after: path.startIndex)..<slash], path[path.index(after: slash)...])
    }
}
