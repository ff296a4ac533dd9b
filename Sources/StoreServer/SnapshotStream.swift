import ClusterStore
import Crypto
import EmbeddedStore
import FoundationEssentials
import GRPCCore
import GRPCTransport
import Glibc
import NIOCore
import NIOPosix
import SwiftProtobuf

/// One call of etcd's `Maintenance.Snapshot`: a consistent copy of the store, then its SHA-256.
final class SnapshotStream: GRPCStreamReceiver {
    private static let chunkBytes = 64 << 10

    private let stream: GRPCServerStream
    private let context: CallContext
    private var file: SnapshotFile?
    private var left: Int64 = 0
    private var digest = SHA256()
    private var isAsked = false

    init(stream: GRPCServerStream, context: CallContext) {
        self.stream = stream
        self.context = context
    }

    func receive(_ message: [UInt8]) {
        guard !isAsked else { return }
        isAsked = true
        let bound = NIOLoopBound(self, eventLoop: stream.eventLoop)
        let eventLoop = stream.eventLoop
        let path = context.store.path
        // Copying blocks its thread, on a file and a sync: not for an event loop.
        NIOThreadPool.singleton.submit { _ in
            let result = Result { try SnapshotFile(of: path) }
            eventLoop.execute { bound.value.begin(result) }
        }
    }

    func receivedEnd() {}

    func becameWritable() { pump() }

    func ended() { file = nil }

    private func begin(_ result: Result<SnapshotFile, any Error>) {
        switch result {
        case .success(let copy):
            file = copy
            left = copy.bytes
            pump()
        case .failure(let error): stream.finish(Answers.status(error))
        }
    }

    private func pump() {
        do {
            while stream.isWritable, let file {
                let chunk = try file.read(atMost: Int(min(left, Int64(Self.chunkBytes))))
                left -= Int64(chunk.count)
                digest.update(data: chunk)
                if !chunk.isEmpty { try send(chunk) }
                guard left > 0, !chunk.isEmpty else {
                    try send(Array(digest.finalize()))
                    self.file = nil
                    return stream.finish(Status(code: .ok, message: ""))
                }
            }
        } catch {
            stream.finish(Answers.status(error))
        }
    }

    private func send(_ blob: [UInt8]) throws {
        var message = Etcdserverpb_SnapshotResponse()
        message.header = Answers.header(context.store.revision)
        message.remainingBytes = UInt64(left)
        message.blob = Data(blob)
        stream.send(try message.serializedBytes())
    }
}

/// A copy of a store in a file that has no name any more: it goes away with this.
private final class SnapshotFile: Sendable {
    private let descriptor: CInt
    let bytes: Int64

    init(of store: String) throws {
        let path = "\(store).snapshot-\(UInt32.random(in: 0 ... .max))"
        defer { unlink(path) }
        bytes = try StoreBackup.copy(from: store, to: path).bytes
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw StoreError.unavailable("open \(path): \(String(cString: strerror(errno)))")
        }
    }

    deinit { close(descriptor) }

    func read(atMost count: Int) throws -> [UInt8] {
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            filled = max(0, Glibc.read(descriptor, buffer.baseAddress, count))
        }
        guard !bytes.isEmpty || count == 0 else { throw StoreError.unavailable("the snapshot's file ended early") }
        return bytes
    }
}
