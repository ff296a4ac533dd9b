import GRPCCore
import NIOCore

/// The writing half of a stream as gRPC wants it; waits while the stream is not writable.
struct StreamWriter<Part: Sendable>: ClosableRPCWriterProtocol {
    typealias Element = Part

    let writer: NIOAsyncChannelOutboundWriter<Part>
    let channel: any Channel

    func write(_ element: Part) async throws { try await writer.write(element) }

    func write(contentsOf elements: some Sequence<Part>) async throws { try await writer.write(contentsOf: elements) }

    func finish() async { writer.finish() }

    /// Resets the stream: an end without an error would tell the peer that all had been sent.
    func finish(throwing error: any Error) async { channel.close(promise: nil) }
}
