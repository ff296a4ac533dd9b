import GRPCCore
import NIOCore
import NIOHPACK
import Testing

@testable import GRPCTransport

struct PureTests {
    @Test(arguments: [
        ("127.0.0.1:2379", GRPCEndpoint.tcp(host: "127.0.0.1", port: 2379)),
        ("http://etcd.example:4001/", .tcp(host: "etcd.example", port: 4001)),  // as in many configurations
        ("https://[::1]:2379", .tcp(host: "::1", port: 2379)),
        ("unix:///run/containerd/containerd.sock", .unix("/run/containerd/containerd.sock")),
    ])
    func endpointsAreParsed(_ text: String, _ endpoint: GRPCEndpoint) {
        #expect(GRPCEndpoint(text) == endpoint)
    }

    @Test(arguments: ["", "host", "host:", "host:0", "host:65536", ":1", "ftp://host:1", "unix://", "http://a/b:1"])
    func whatIsNoEndpointIsRefused(_ text: String) {
        #expect(GRPCEndpoint(text) == nil)
    }

    @Test(arguments: [
        ("plain text", "plain text"), ("100%", "100%25"), ("größe", "gr%C3%B6%C3%9Fe"), ("a\nb", "a%0Ab"), ("", ""),
    ])
    func statusMessagesAreEscapedAndBack(_ text: String, _ encoded: String) {
        #expect(Headers.percentEncoded(text) == encoded)
        #expect(Headers.percentDecoded(encoded) == text)
    }

    @Test(arguments: ["%", "%4", "%zz", "a%"])
    func whatIsNoEscapeStays(_ text: String) {
        #expect(Headers.percentDecoded(text) == text)
    }

    @Test(arguments: 1...12)
    func messagesComeOutWholeHoweverTheyAreCut(_ size: Int) throws {
        var decoder = MessageDecoder(maximumMessageBytes: 100)
        let wire =
            Array(MessageDecoder.frame([1, 2, 3], allocator: .init()).readableBytesView)
            + Array(MessageDecoder.frame([], allocator: .init()).readableBytesView)
            + Array(MessageDecoder.frame([4], allocator: .init()).readableBytesView)
        var messages: [[UInt8]] = []
        for start in stride(from: 0, to: wire.count, by: size) {
            decoder.append(ByteBuffer(bytes: wire[start..<min(start + size, wire.count)]))
            while let message = try decoder.next() { messages.append(message) }
        }
        #expect(messages == [[1, 2, 3], [], [4]])
        #expect(!decoder.hasPartialMessage)
    }

    @Test
    func messagesThatAreTooLongOrCompressedAreRefused() {
        var long = MessageDecoder(maximumMessageBytes: 2)
        long.append(MessageDecoder.frame([1, 2, 3], allocator: .init()))
        #expect(throws: RPCError.self) { try long.next() }
        var compressed = MessageDecoder(maximumMessageBytes: 100)
        compressed.append(ByteBuffer(bytes: [1, 0, 0, 0, 0]))
        #expect(throws: RPCError.self) { try compressed.next() }
    }
}
