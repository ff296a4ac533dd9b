import BenchmarkKit
import Foundation

/// One measured figure.
struct Figure: Codable {
    var work: String
    var server: String
    var name: String
    var value: Double
    var unit: String
}

/// A run of the benchmark, as it is kept under bench-results.
struct Report: Codable {
    var benchmark = "api"
    var machine: String
    var command: String
    var figures: [Figure] = []

    static func machineLine() throws -> String {
        let model = try String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8).split(separator: "\n")
            .first { $0.hasPrefix("model name") }?.split(separator: ":").last.map {
                $0.trimmingCharacters(in: .whitespaces)
            }
        let kernel = try Command.run("uname -r").trimmingCharacters(in: .whitespacesAndNewlines)
        return "\(ProcessInfo.processInfo.activeProcessorCount) x \(model ?? "unknown processor"), Linux \(kernel)"
    }

    mutating func add(_ work: String, _ server: String, _ values: [(String, Double?, String)]) {
        var line = "\(server): \(work):"
        for (name, value, unit) in values {
            guard let value else { continue }
            figures.append(Figure(work: work, server: server, name: name, value: value, unit: unit))
            line += " \(name) \(number(value)) \(unit);"
        }
        FileHandle.standardOutput.write(Data((line + "\n").utf8))
    }

    /// Writes the results, beside those of earlier runs that this one did not measure again.
    func write(to folder: String) throws {
        var report = self
        if let old = FileManager.default.contents(atPath: "\(folder)/\(benchmark).json"),
            let earlier = try? JSONDecoder().decode(Report.self, from: old), earlier.machine == machine
        {
            let mine = Set(figures.map { "\($0.server)|\($0.work)" })
            report.figures = earlier.figures.filter { !mine.contains("\($0.server)|\($0.work)") } + figures
            let lines = earlier.command.split(separator: "\n").map(String.init)
            report.command = (lines.filter { $0 != command } + [command]).joined(separator: "\n")
        }
        try report.writeFiles(to: folder)
    }

    private func writeFiles(to folder: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try encoder.encode(self).write(to: URL(fileURLWithPath: "\(folder)/\(benchmark).json"))
        try table.write(toFile: "\(folder)/\(benchmark).md", atomically: true, encoding: .utf8)
        try chart.write(toFile: "\(folder)/\(benchmark).svg", atomically: true, encoding: .utf8)
    }

    private func unique(_ values: [String]) -> [String] {
        var seen: Set<String> = []
        return values.filter { seen.insert($0).inserted }
    }

    private var servers: [String] { unique(figures.map(\.server)) }

    private func value(_ work: String, _ name: String, _ server: String) -> Figure? {
        figures.first { $0.work == work && $0.name == name && $0.server == server }
    }

    var table: String {
        var lines = [
            "# \(benchmark)", "",
            "\(machine). Clients, server and store share the processors; the server's own processor time is what compares.",
            "", "Repeat with:", "", "```", command, "```", "",
            "| work | figure | \(servers.joined(separator: " | ")) |",
            "|---|---|" + servers.map { _ in "---|" }.joined(),
        ]
        for work in unique(figures.map(\.work)) {
            for name in unique(figures.filter { $0.work == work }.map(\.name)) {
                let cells = servers.map { server in
                    value(work, name, server).map { "\(number($0.value)) \($0.unit)" } ?? ""
                }
                lines.append("| \(work) | \(name) | \(cells.joined(separator: " | ")) |")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Bars of the server's processor time, the figure that counts.
    var chart: String {
        let shown = figures.filter { $0.name == "server CPU" }
        let works = unique(shown.map(\.work))
        let (left, height) = (360.0, 18.0)
        var parts: [String] = []
        var y = 36.0
        let colours = ["#2b6cb0", "#63b3ed", "#9aa5b1"]
        for work in works {
            let rows = shown.filter { $0.work == work }
            let scale = 260.0 / max(1e-9, rows.map(\.value).max() ?? 1)
            parts.append(#"<text x="10" y="\#(y + 13)" font-weight="bold">\#(work)</text>"#)
            for row in rows {
                let colour = colours[(servers.firstIndex(of: row.server) ?? 0) % colours.count]
                parts.append(#"<text x="200" y="\#(y + 13)">\#(row.server)</text>"#)
                parts.append(
                    #"<rect x="\#(left)" y="\#(y)" width="\#(row.value * scale)" height="14" fill="\#(colour)"/>"#)
                parts.append(
                    #"<text x="\#(left + row.value * scale + 6)" y="\#(y + 12)">\#(number(row.value)) \#(row.unit)</text>"#
                )
                y += height
            }
            y += 8
        }
        let head =
            #"<svg xmlns="http://www.w3.org/2000/svg" width="760" height="\#(Int(y) + 20)" font-family="sans-serif" font-size="12">"#
        return
            ([head, #"<text x="10" y="20" font-weight="bold">\#(benchmark): processor time of the server</text>"#]
            + parts)
            .joined(separator: "\n") + "\n</svg>\n"
    }

    private func number(_ value: Double) -> String {
        String(format: value >= 100 ? "%.0f" : value >= 10 ? "%.1f" : value >= 0.1 ? "%.2f" : "%.4f", value)
    }
}
