import BenchmarkKit
import Foundation

/// What one server did in one round.
struct Sample: Codable {
    var round: Int
    var server: String
    var puts: PutResult
    var fanOut: FanOutResult

    var line: String {
        String(
            format: "round %d %@: %.0f puts/s (p50 %.1f ms, p99 %.1f ms, %.0f us of server each); ", round,
            server as NSString, puts.perSecond, puts.medianMilliseconds, puts.p99Milliseconds,
            puts.serverMicrosecondsEach)
            + String(
                format: "%.0f events/s (%.2f us of server each), %.0f MB", fanOut.eventsPerSecond,
                fanOut.serverMicrosecondsEach, fanOut.residentMegabytes)
    }
}

/// A run of the benchmark, as it is kept under bench-results.
struct Report: Codable {
    struct Row: Codable {
        var name: String
        var unit: String
        /// Whether more is better.
        var isRate: Bool
        var etcd: Spread
        var fjord: Spread
        /// fjord's part of etcd's, round by round.
        var ratio: Spread
    }

    var benchmark = "store"
    var machine: String
    var command: String
    var etcdVersion: String
    var rows: [Row]
    var samples: [Sample]

    init(machine: String, command: String, etcdVersion: String, samples: [Sample]) {
        self.machine = machine
        self.command = command
        self.etcdVersion = etcdVersion
        self.samples = samples
        func row(_ name: String, _ unit: String, isRate: Bool, _ value: (Sample) -> Double) -> Row {
            let etcd = samples.filter { $0.server == "etcd" }.map(value)
            let fjord = samples.filter { $0.server == "fjord" }.map(value)
            return Row(
                name: name, unit: unit, isRate: isRate, etcd: Spread(etcd), fjord: Spread(fjord),
                ratio: Spread(zip(fjord, etcd).map { $0 / $1 }))
        }
        rows = [
            row("durable puts", "per second", isRate: true) { $0.puts.perSecond },
            row("put, median", "ms", isRate: false) { $0.puts.medianMilliseconds },
            row("put, 99th percentile", "ms", isRate: false) { $0.puts.p99Milliseconds },
            row("server's processor time a put", "us", isRate: false) { $0.puts.serverMicrosecondsEach },
            row("events to watchers", "per second", isRate: true) { $0.fanOut.eventsPerSecond },
            row("server's processor time an event", "us", isRate: false) { $0.fanOut.serverMicrosecondsEach },
            row("resident memory at the end", "MB", isRate: false) { $0.fanOut.residentMegabytes },
        ]
    }

    static func machineLine() throws -> String {
        let model = try String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8).split(separator: "\n")
            .first { $0.hasPrefix("model name") }?.split(separator: ":").last
            .map { $0.trimmingCharacters(in: .whitespaces) }
        let kernel = try String(contentsOfFile: "/proc/sys/kernel/osrelease", encoding: .utf8)
            .trimmingCharacters(in: .whitespacesAndNewlines)
        return "\(ProcessInfo.processInfo.activeProcessorCount) x \(model ?? "unknown processor"), Linux \(kernel)"
    }

    /// The first line of what `etcd --version` says.
    static func version(of etcd: String) throws -> String {
        guard let pipe = popen("\(etcd) --version", "r") else { throw BenchError("cannot run \(etcd)") }
        defer { pclose(pipe) }
        var line = [CChar](repeating: 0, count: 200)
        guard fgets(&line, 200, pipe) != nil else { return "unknown" }
        return String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    func write(to folder: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try encoder.encode(self).write(to: URL(fileURLWithPath: "\(folder)/\(benchmark).json"))
        try table.write(toFile: "\(folder)/\(benchmark).md", atomically: true, encoding: .utf8)
        try chart.write(toFile: "\(folder)/\(benchmark).svg", atomically: true, encoding: .utf8)
    }

    var table: String {
        func cell(_ spread: Spread, _ format: String) -> String {
            String(format: "\(format) (\(format) to \(format))", spread.median, spread.minimum, spread.maximum)
        }
        var lines = [
            "# store: fjord store against etcd", "",
            "\(machine); \(etcdVersion). Both on one file system, each commit synced; medians of the rounds, least and "
                + "most behind them. Ratios are fjord's part of etcd's, round by round. Only numbers of one run can be "
                + "compared.", "", "Again: `\(command) --fjord PATH --output bench-results`", "",
            "| | | etcd | fjord | ratio |", "|---|---|---:|---:|---:|",
        ]
        for row in rows {
            let format = row.etcd.median >= 100 ? "%.0f" : "%.2f"
            lines.append(
                "| \(row.name) | \(row.unit) | \(cell(row.etcd, format)) | \(cell(row.fjord, format)) | "
                    + "\(cell(row.ratio, "%.2f")) |")
        }
        lines += [
            "",
            "Not measured here: reads, transactions, more than one machine, TLS, and what becomes of either after "
                + "days. The client takes its part of the same processors.", "",
        ]
        return lines.joined(separator: "\n")
    }

    /// The two rates, as bars side by side.
    var chart: String {
        let rates = rows.filter(\.isRate)
        var parts = [
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"640\" height=\"\(60 + rates.count * 90)\" "
                + "font-family=\"sans-serif\" font-size=\"13\">",
            "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>",
            "<text x=\"20\" y=\"24\" font-weight=\"bold\">fjord store against etcd (median; more is better)</text>",
        ]
        for (index, row) in rates.enumerated() {
            let top = 50 + index * 90
            parts.append("<text x=\"20\" y=\"\(top + 8)\">\(row.name), \(row.unit)</text>")
            let most = max(row.etcd.median, row.fjord.median, 1)
            for (line, (name, spread, colour)) in [("etcd", row.etcd, "#8a94a6"), ("fjord", row.fjord, "#1f6feb")]
                .enumerated()
            {
                let y = top + 18 + line * 26
                let width = Int(420 * spread.median / most)
                parts.append("<text x=\"20\" y=\"\(y + 14)\">\(name)</text>")
                parts.append("<rect x=\"70\" y=\"\(y)\" width=\"\(width)\" height=\"20\" fill=\"\(colour)\"/>")
                parts.append("<text x=\"\(78 + width)\" y=\"\(y + 14)\">\(Int(spread.median))</text>")
            }
        }
        return (parts + ["</svg>", ""]).joined(separator: "\n")
    }
}
