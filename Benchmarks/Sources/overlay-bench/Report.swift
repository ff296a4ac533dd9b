import BenchmarkKit
import Foundation

/// One row: a path under one kind of traffic.
struct Row: Codable {
    var path: String
    var traffic: String
    var reference: String
    var gigabitsPerSecond: Spread
    var packetsPerSecond: Spread
    var cpuSecondsPerGigabyte: Spread
    var roundTripMedian: Spread
    var roundTrip99: Spread
    /// Round by round against the reference path: throughput, packets or round trips a second.
    var ratio: Spread
    /// The same against kernel VXLAN; nil between hosts.
    var ratioToVXLAN: Spread?
    /// Round by round, processor time per gigabyte against the reference path, and against kernel VXLAN.
    var cpuRatio: Spread
    var cpuRatioToVXLAN: Spread?
    var samples: [Sample]

    init(path: String, traffic: String, reference: String, samples: [Sample], references: [Sample], vxlan: [Sample]) {
        self.path = path
        self.traffic = traffic
        self.reference = reference
        self.samples = samples
        gigabitsPerSecond = Spread(samples.map { $0.bitsPerSecond / 1e9 })
        packetsPerSecond = Spread(samples.map(\.packetsPerSecond))
        cpuSecondsPerGigabyte = Spread(samples.map(\.cpuSecondsPerGigabyte))
        roundTripMedian = Spread(samples.map(\.roundTripMedian))
        roundTrip99 = Spread(samples.map(\.roundTrip99))
        func spread(_ others: [Sample], _ value: (Sample) -> Double) -> Spread {
            Spread(zip(samples, others).compactMap { value($1) > 0 ? value($0) / value($1) : nil })
        }
        ratio = spread(references, \.figure)
        cpuRatio = spread(references, \.cpuSecondsPerGigabyte)
        ratioToVXLAN = vxlan.isEmpty ? nil : spread(vxlan, \.figure)
        cpuRatioToVXLAN = vxlan.isEmpty ? nil : spread(vxlan, \.cpuSecondsPerGigabyte)
    }
}

/// A run of the benchmark, as it is kept under bench-results.
struct Report: Codable {
    var benchmark: String
    var machine: String
    var command: String
    var rounds: Int
    var secondsPerRun: Double
    var wire: String
    var steal: Spread
    var rows: [Row]

    static func machineLine() throws -> String {
        let model = try String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8).split(separator: "\n")
            .first { $0.hasPrefix("model name") }?.split(separator: ":").last.map {
                $0.trimmingCharacters(in: .whitespaces)
            }
        let kernel = try Command.run("uname -r").trimmingCharacters(in: .whitespacesAndNewlines)
        return "\(ProcessInfo.processInfo.activeProcessorCount) x \(model ?? "unknown processor"), Linux \(kernel)"
    }

    func write(to folder: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try encoder.encode(self).write(to: URL(fileURLWithPath: "\(folder)/\(benchmark).json"))
        try table.write(toFile: "\(folder)/\(benchmark).md", atomically: true, encoding: .utf8)
        try chart.write(toFile: "\(folder)/\(benchmark).svg", atomically: true, encoding: .utf8)
    }

    var table: String {
        var lines = [
            "# \(benchmark)", "",
            "\(machine); \(rounds) interleaved rounds of \(secondsPerRun) s each; medians (smallest to largest).",
            "Processor time is that of the whole machine. Steal: \(number(steal.median * 100)) % (\(number(steal.minimum * 100)) to \(number(steal.maximum * 100))).",
            "The wire carries \(wire).",
            "", "Repeat with: `\(command)`", "",
            "| traffic | path | Gb/s | packets/s | CPU s/GB | round trip, us: half within, 99 % within | against bare or unencapsulated | its CPU | against kernel VXLAN | its CPU |",
            "|---|---|---|---|---|---|---|---|---|---|",
        ]
        for row in rows {
            let isPing = row.roundTripMedian.median > 0
            let cells = [
                row.traffic, row.path, isPing ? "" : show(row.gigabitsPerSecond),
                row.packetsPerSecond.median == 0 ? "" : show(row.packetsPerSecond, digits: 0),
                isPing ? "" : show(row.cpuSecondsPerGigabyte),
                isPing
                    ? "\(number(row.roundTripMedian.median, digits: 0)), \(number(row.roundTrip99.median, digits: 0))"
                    : "",
                show(row.ratio), isPing ? "" : number(row.cpuRatio.median), row.ratioToVXLAN.map { show($0) } ?? "",
                isPing ? "" : row.cpuRatioToVXLAN.map { number($0.median) } ?? "",
            ]
            lines.append("| " + cells.joined(separator: " | ") + " |")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Bars of the ratio to the reference path.
    var chart: String {
        let (left, height, scale) = (360.0, 24.0, 320.0 / max(1, rows.map(\.ratio.maximum).max() ?? 1))
        var parts = [
            #"<svg xmlns="http://www.w3.org/2000/svg" width="780" height="\#(Int(height) * rows.count + 50)" font-family="sans-serif" font-size="13">"#,
            #"<text x="10" y="20" font-weight="bold">\#(benchmark): against bare veth or no encapsulation, higher is better</text>"#,
        ]
        for (index, row) in rows.enumerated() {
            let y = 36 + Double(index) * height
            let colour = row.path == row.reference ? "#9aa5b1" : "#2b6cb0"
            parts.append(#"<text x="10" y="\#(y + 14)">\#(row.traffic), \#(row.path)</text>"#)
            parts.append(
                #"<rect x="\#(left)" y="\#(y)" width="\#(row.ratio.median * scale)" height="16" fill="\#(colour)"/>"#)
            let (low, high) = (left + row.ratio.minimum * scale, left + row.ratio.maximum * scale)
            parts.append(#"<line x1="\#(low)" x2="\#(high)" y1="\#(y + 8)" y2="\#(y + 8)" stroke="black"/>"#)
            parts.append(#"<text x="\#(high + 6)" y="\#(y + 13)">\#(number(row.ratio.median))</text>"#)
        }
        return parts.joined(separator: "\n") + "\n</svg>\n"
    }

    private func number(_ value: Double, digits: Int = 2) -> String { String(format: "%.\(digits)f", value) }
    private func show(_ spread: Spread, digits: Int = 2) -> String {
        "\(number(spread.median, digits: digits)) (\(number(spread.minimum, digits: digits)) to \(number(spread.maximum, digits: digits)))"
    }
}
