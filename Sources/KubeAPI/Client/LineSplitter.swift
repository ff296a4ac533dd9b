/// Cuts a stream of bytes into lines, as a watch sends them. Holds at most one unfinished line.
struct LineSplitter {
    /// The longest line that is taken: an object may have a little over 1.5 MB in etcd, and JSON escapes make it longer.
    static let maximumLineBytes = 16 << 20

    private var rest: [UInt8] = []

    /// Appends `bytes` and hands over each line that is now complete, without its line feed; empty ones are left out.
    ///
    /// - Throws: `APIError.malformed` when a line is too long.
    mutating func append(_ bytes: some Sequence<UInt8>) throws(APIError) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        var start = 0
        let searched = rest.count
        rest.append(contentsOf: bytes)
        var position = searched
        while position < rest.count {
            if rest[position] == 0x0a {
                if position > start { lines.append(Array(rest[start..<position])) }
                start = position + 1
            }
            position += 1
        }
        if start > 0 { rest.removeFirst(start) }
        guard rest.count <= Self.maximumLineBytes else {
            throw .malformed("a watch event of more than \(Self.maximumLineBytes) bytes")
        }
        return lines
    }
}
