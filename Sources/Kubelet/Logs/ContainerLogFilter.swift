import KubeAPI
package import KubeSchema

/// What a reader of a log asked for.
package struct ContainerLogOptions: Sendable, Equatable {
    package var follows = false, showsTimestamps = false, wantsPrevious = false
    package var tailLines: Int?
    package var limitBytes: Int?
    /// Nothing older is shown.
    package var since: Timestamp?

    package init() {}

    /// Reads the query of a log request. `now` is what `sinceSeconds` counts back from.
    package init(query: [(name: String, value: String)], now: Timestamp) throws(BadRequest) {
        for (name, value) in query {
            func number() throws(BadRequest) -> Int {
                guard let number = Int(value), number >= 0 else {
                    throw BadRequest("\(name)=\(value): a number of 0 or more is expected")
                }
                return number
            }
            func flag() throws(BadRequest) -> Bool {
                switch value.lowercased() {
                case "", "true", "1", "t": return true
                case "false", "0", "f": return false
                default: throw BadRequest("\(name)=\(value): true or false is expected")
                }
            }
            switch name {
            case "follow": follows = try flag()
            case "timestamps": showsTimestamps = try flag()
            case "previous": wantsPrevious = try flag()
            case "tailLines", "tail": if value != "all" { tailLines = try number() }
            case "limitBytes": limitBytes = try number()
            case "sinceSeconds": since = now + .seconds(-(try number()))
            case "sinceTime":
                guard let time = Timestamp(rfc3339: value) else {
                    throw BadRequest("sinceTime=\(value): a time such as 2026-01-02T03:04:05Z is expected")
                }
                since = time
            default: break
            }
        }
    }
}

/// A request that names something impossible; answered with 400.
package struct BadRequest: Error, Equatable, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}

/// Turns pieces of a log file into what the reader sees: joins parts, drops old records, counts bytes. No I/O.
package struct ContainerLogFilter: Sendable {
    private let options: ContainerLogOptions
    private var pending: [UInt8] = []
    private var isInsideLine = false
    private var remaining: Int

    package init(_ options: ContainerLogOptions) {
        self.options = options
        remaining = options.limitBytes ?? .max
    }

    /// Whether the limit on bytes is used up.
    package var isExhausted: Bool { remaining <= 0 }

    /// Takes the next bytes of the file and returns what they show. Half a record waits for its rest.
    package mutating func feed(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        pending += bytes
        var output: [UInt8] = []
        var start = pending.startIndex
        while let end = pending[start...].firstIndex(of: 0x0a) {
            show(pending[start..<end], to: &output)
            start = end + 1
        }
        pending.removeSubrange(..<start)
        if output.count > remaining { output.removeSubrange(remaining...) }
        remaining -= output.count
        return output
    }

    private mutating func show(_ record: ArraySlice<UInt8>, to output: inout [UInt8]) {
        guard let line = ContainerLogLine(record) else { return }
        if let since = options.since,
            let time = Timestamp(rfc3339: String(decoding: line.timestamp, as: UTF8.self)), time < since
        {
            return
        }
        if options.showsTimestamps, !isInsideLine {
            output += line.timestamp
            output.append(0x20)
        }
        output += line.text
        if !line.isPartial { output.append(0x0a) }
        isInsideLine = line.isPartial
    }
}

/// Finds where the last lines of a log begin.
package enum LogTail {
    /// Returns the offset in `bytes` at which the last `count` whole lines begin, parts of a line counting as one, and
    /// how many lines there are from there on: fewer than `count` when there are no more.
    package static func find(in bytes: [UInt8], lastLines count: Int) -> (offset: Int, lines: Int) {
        var lines = 0
        var end = bytes.count
        if count == 0 { return (end, 0) }
        while end > 0 {
            // The record before `end`, whose line feed is at end - 1.
            let start = (bytes[..<(end - 1)].lastIndex(of: 0x0a) ?? -1) + 1
            let isPartial = ContainerLogLine(bytes[start..<(end - 1)])?.isPartial ?? false
            if !isPartial {
                if lines == count { return (end, lines) }
                lines += 1
            }
            end = start
        }
        return (0, lines)
    }
}
