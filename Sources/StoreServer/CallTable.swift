import ClusterStore
import EmbeddedStore
import GRPCCore
import GRPCTransport
import SwiftProtobuf

/// What the methods of the server share.
struct CallContext: Sendable {
    let store: EmbeddedStore
    let tasks: CallTasks
    /// Largest request that may write; etcd's `--max-request-bytes`.
    let maximumRequestBytes: Int

    /// A method whose answer comes by a callback: for the calls that are made all the time.
    func method<Request: Message, Answer: Message>(
        limitsSize: Bool = false,
        _ body: @escaping @Sendable (Request, @escaping @Sendable (Result<Answer, any Error>) -> Void) -> Void
    ) -> GRPCMethod {
        let limit = limitsSize ? maximumRequestBytes : .max
        return .unary { bytes, reply in
            guard bytes.count <= limit else {
                return reply.fail(Answers.status(StoreError.refused(EtcdErrorText.requestTooLarge)))
            }
            do {
                body(try Request(serializedBytes: bytes)) { result in
                    do { reply.send(try result.get().serializedBytes()) } catch { reply.fail(Answers.status(error)) }
                }
            } catch {
                reply.fail(Status(code: .internalError, message: "grpc: error unmarshalling request: \(error)"))
            }
        }
    }

    /// A method whose answer comes from a task of its own.
    func taskMethod<Request: Message, Answer: Message>(
        _ body: @escaping @Sendable (Request) async throws -> Answer
    ) -> GRPCMethod {
        method { (request: Request, reply: @escaping @Sendable (Result<Answer, any Error>) -> Void) in
            tasks.start {
                do { reply(.success(try await body(request))) } catch { reply(.failure(error)) }
            }
        }
    }

    /// A method that a store of one machine does not have.
    static func refusing(_ reason: String) -> GRPCMethod {
        .unary { _, reply in reply.fail(Status(code: .unimplemented, message: reason)) }
    }
}

/// The tasks of calls under way; they belong to ``run()``, and end with it.
final class CallTasks: Sendable {
    private let bodies: AsyncStream<@Sendable () async -> Void>
    private let queue: AsyncStream<@Sendable () async -> Void>.Continuation

    init() { (bodies, queue) = AsyncStream.makeStream() }

    func start(_ body: @escaping @Sendable () async -> Void) { queue.yield(body) }

    /// Runs what is started until ``finish()``.
    func run() async {
        await withDiscardingTaskGroup { group in
            for await body in bodies { group.addTask { await body() } }
        }
    }

    func finish() { queue.finish() }
}
