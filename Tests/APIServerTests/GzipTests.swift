import CZlib
import HTTPTypes
import KubeSchema
import NIOCore
import Testing

@testable import APIServer

/// Decompresses a whole gzip body; zlib checks its checksum and length.
private func gunzip(_ bytes: [UInt8]) throws -> [UInt8] {
    struct Broken: Error { let code: CInt }
    var stream = z_stream()
    guard inflateInit2_(&stream, 31, ZLIB_VERSION, CInt(MemoryLayout<z_stream>.size)) == Z_OK else {
        throw Broken(code: 0)
    }
    defer { inflateEnd(&stream) }
    var input = bytes
    var output: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 1 << 16)
    return try input.withUnsafeMutableBufferPointer { input in
        stream.next_in = input.baseAddress
        stream.avail_in = UInt32(input.count)
        while true {
            let code = piece.withUnsafeMutableBufferPointer { piece in
                stream.next_out = piece.baseAddress
                stream.avail_out = UInt32(piece.count)
                return inflate(&stream, Z_NO_FLUSH)
            }
            output += piece[..<(piece.count - Int(stream.avail_out))]
            if code == Z_STREAM_END { return output }
            guard code == Z_OK else { throw Broken(code: code) }
        }
    }
}

@Suite(.timeLimit(.minutes(2))) struct GzipTests {
    @Test func `parts that were compressed apart make one body, in any order and more than once`() throws {
        var random = SystemRandomNumberGenerator()
        let deflater = Deflater()
        let sources = (0..<20).map { index in
            (0..<(index == 0 ? 0 : Int.random(in: 1...5000, using: &random))).map { _ in
                UInt8.random(in: 0...(index % 2 == 0 ? 255 : 3), using: &random)
            }
        }
        let parts = sources.map { deflater.part($0) }
        for _ in 0..<20 {
            var body = ByteBuffer(bytes: Gzip.header)
            var (trailer, expected) = (Gzip.Trailer(), [UInt8]())
            for _ in 0..<Int.random(in: 0...30, using: &random) {
                let index = Int.random(in: 0..<parts.count, using: &random)
                body.writeBytes(parts[index].bytes)
                trailer.add(parts[index])
                expected += sources[index]
            }
            trailer.write(to: &body)
            #expect(try gunzip(Array(body.readableBytesView)) == expected)
        }
        let text = Array(String(repeating: "abcd", count: 100_000).utf8)
        let encoded = Gzip.encode(ByteBuffer(bytes: text))
        #expect(encoded.readableBytes < text.count / 50)
        #expect(try gunzip(Array(encoded.readableBytesView)) == text)
    }

    @Test(arguments: [
        ("gzip", true), ("GZIP;q=0.5, br", true), ("br, gzip ; q=1", true), ("*", true), ("gzip;q=0", false),
        ("deflate", false), ("", false), ("gzip;q=0.0", false), ("x-gzip", false),
    ])
    func `what an Accept-Encoding means`(header: String, expected: Bool) {
        #expect(Gzip.isAccepted(header) == expected)
    }

    @Test func `a list is the same with gzip and without, also when some of it was compressed before`() async throws {
        try await withServer { server in
            let filler = JSON.string(String(repeating: "x", count: 2000))
            func create(_ numbers: Range<Int>) async throws {
                for number in numbers {
                    let map: JSON = [
                        "kind": "ConfigMap", "apiVersion": "v1", "metadata": ["name": .string("m\(number)")],
                        "data": ["filler": filler, "number": .string("\(number)")],
                    ]
                    try await server.call(.post, "/api/v1/namespaces/default/configmaps", map)
                }
            }
            try await create(0..<100)
            for round in 0..<2 {
                let plain = try await server.bytes("/api/v1/namespaces/default/configmaps")
                let small = try await server.bytes("/api/v1/namespaces/default/configmaps", encoding: "gzip")
                #expect(plain.headers[.contentEncoding] == nil && small.headers[.contentEncoding] == "gzip")
                #expect(try gunzip(small.body) == plain.body)
                #expect(small.body.count < plain.body.count / 4)
                #expect(try JSON(parsing: plain.body)["items"]?.array?.count == 100 + round * 50)
                let table = "application/json;as=Table;v=v1;g=meta.k8s.io"
                let rows = try await server.bytes(
                    "/api/v1/namespaces/default/configmaps?includeObject=Object", encoding: "gzip", accept: table)
                #expect(rows.headers[.contentEncoding] == "gzip")
                #expect(try JSON(parsing: try gunzip(rows.body))["kind"] == "Table")
                try await create((100 + round * 50)..<(150 + round * 50))
            }
            let one = try await server.bytes("/api/v1/namespaces/default/configmaps/m1", encoding: "gzip")
            #expect(one.headers[.contentEncoding] == nil, "small answers are not worth it")
        }
    }
}
