import HTTPTransport
import NIOCore

/// Joins a client's WebSocket, whose messages begin with a channel number, and a kubelet's SPDY connection, which has a
/// stream for each channel.
///
/// `v5.channel.k8s.io` adds to `v4` that a client may end one channel: standard input above all.
struct StreamTranslator: Sendable {
    /// One channel and the stream that it is.
    struct Pair: Sendable {
        var channel: UInt8
        var stream: UInt32
        /// The header fields that the stream is opened with.
        var fields: [(String, String)]
        /// Whether the client only receives on it.
        var isOutput: Bool
        /// Whether it is sent as one message when it has ended: the final status.
        var isStatus = false
    }

    /// The channel whose messages name a channel that has ended.
    private static let closing: UInt8 = 255

    let pairs: [Pair]
    let allowsClosing: Bool

    /// The channels of exec and attach, in the order in which servers expect their streams.
    static func process(stdin: Bool, stdout: Bool, stderr: Bool, tty: Bool, allowsClosing: Bool) -> StreamTranslator {
        var pairs: [Pair] = []
        func add(_ type: String, _ channel: UInt8, _ isWanted: Bool, isOutput: Bool, isStatus: Bool = false) {
            guard isWanted else { return }
            pairs.append(
                Pair(
                    channel: channel, stream: UInt32(pairs.count * 2 + 1), fields: [("streamtype", type)],
                    isOutput: isOutput, isStatus: isStatus))
        }
        add("error", 3, true, isOutput: true, isStatus: true)
        add("stdin", 0, stdin, isOutput: false)
        add("stdout", 1, stdout, isOutput: true)
        add("stderr", 2, stderr && !tty, isOutput: true)
        add("resize", 4, tty, isOutput: false)
        return StreamTranslator(pairs: pairs, allowsClosing: allowsClosing)
    }

    /// A data channel and an error channel for each port, as `v4.channel.k8s.io` has it for port-forward.
    static func ports(_ ports: [UInt16]) -> StreamTranslator {
        var pairs: [Pair] = []
        for (index, port) in ports.enumerated() {
            for (offset, type) in [(1, "error"), (0, "data")] {
                pairs.append(
                    Pair(
                        channel: UInt8(index * 2 + offset), stream: UInt32(pairs.count * 2 + 1),
                        fields: [("streamtype", type), ("port", String(port)), ("requestid", String(index))],
                        isOutput: offset == 1))
            }
        }
        return StreamTranslator(pairs: pairs, allowsClosing: false)
    }

    /// Moves bytes both ways until either end is done, and closes both.
    ///
    /// - Parameter greeting: The first messages that the client expects.
    func run(_ client: WebSocketConnection, _ kubelet: ByteTunnel, greeting: [(UInt8, ByteBuffer)]) async {
        do {
            for (index, pair) in pairs.enumerated() {
                try await kubelet.write(SPDYParser.open(stream: pair.stream, pair.fields, isFirst: index == 0))
            }
            for (channel, bytes) in greeting { try await client.send(bytes, channel: channel) }
        } catch {
            kubelet.close()
            return await client.close(1011)
        }
        await withTaskGroup { group in
            group.addTask {
                try? await copyInput(from: client, to: kubelet)  // either end is gone, and both are closed
                kubelet.close()
            }
            group.addTask {
                try? await copyOutput(from: kubelet, to: client)
                await client.close()
                kubelet.close()
            }
        }
    }

    private func copyInput(from client: WebSocketConnection, to kubelet: ByteTunnel) async throws {
        try await client.forEachMessage { message in
            var message = message
            guard let channel: UInt8 = message.readInteger() else { return }
            if channel == Self.closing, allowsClosing {
                guard let ended: UInt8 = message.readInteger(), let pair = input(ended) else { return }
                try await kubelet.write(SPDYParser.data(stream: pair.stream, ByteBuffer(), isLast: true))
            } else if let pair = input(channel), message.readableBytes > 0 {
                try await kubelet.write(SPDYParser.data(stream: pair.stream, message))
            }
        }
    }

    private func input(_ channel: UInt8) -> Pair? { pairs.first { $0.channel == channel && !$0.isOutput } }

    private func copyOutput(from kubelet: ByteTunnel, to client: WebSocketConnection) async throws {
        var parser = SPDYParser()
        var status = ByteBuffer()
        var open = Set(pairs.map(\.stream))
        // What the client writes to does not keep the exchange alive.
        for pair in pairs where !pair.isOutput && pair.fields.first?.1 != "data" { open.remove(pair.stream) }
        while !open.isEmpty, let bytes = try await kubelet.read() {
            parser.feed(bytes)
            while let frame = try parser.next() {
                switch frame {
                case .data(let stream, var payload, let isLast):
                    if let pair = pairs.first(where: { $0.stream == stream }) {
                        if pair.isStatus {
                            status.writeBuffer(&payload)
                        } else if payload.readableBytes > 0 {
                            try await client.send(payload, channel: pair.channel)
                        }
                    }
                    if isLast { open.remove(stream) }
                case .reply(let stream, let isLast): if isLast { open.remove(stream) }
                case .reset(let stream, _): open.remove(stream)
                case .ping(let id): if id & 1 == 0 { try await kubelet.write(SPDYParser.ping(id)) }
                case .goAway, .other: break
                }
            }
        }
        guard let pair = pairs.first(where: \.isStatus), status.readableBytes > 0 else { return }
        try await client.send(status, channel: pair.channel)
    }
}

/// SPDY inside a WebSocket, as kubectl port-forwards: the messages' bytes are the connection's.
enum StreamTunnel {
    static func run(_ client: WebSocketConnection, _ kubelet: ByteTunnel) async {
        await withTaskGroup { group in
            group.addTask {
                try? await client.forEachMessage { try await kubelet.write($0) }
                kubelet.close()
            }
            group.addTask {
                do { while let bytes = try await kubelet.read() { try await client.send(bytes) } } catch {}
                await client.close()
                kubelet.close()
            }
        }
    }
}
