import ArgumentParser
import BenchmarkKit
import Foundation

/// What encapsulation costs between two pods: the same two nodes with and without it, in turn.
@main
struct OverlayBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "overlay-bench",
        abstract: "Throughput and CPU per gigabyte through overlayd, against the same two nodes without encapsulation.")

    @Option(help: "Where overlayd and fjord are.") var binaries = "../.build/release"
    @Option(help: "Where the result is written.") var results = "../bench-results"
    @Option(help: "Rounds, each with every path and traffic.") var rounds = 5
    @Option(help: "Seconds of each run.") var seconds = 2.0
    @Option(help: "Only paths with this in their name.") var only: String?
    @Flag(help: "Packets of the wire's MTU between the nodes, in place of super-packets.") var mtuSized = false

    private var paths: [Path] {
        Path.allCases.filter { path in
            (path != .flanneld || TestBed.flanneld != nil) && (only.map { path.rawValue.contains($0) } ?? true)
        }
    }

    func validate() throws {
        guard (1...100).contains(rounds), seconds > 0, seconds <= 60 else {
            throw ValidationError("expected --rounds from 1 to 100 and --seconds above 0 up to 60")
        }
        guard getuid() == 0 else { throw ValidationError("network namespaces are made: run it as root") }
    }

    func run() throws {
        let bed = try TestBed(binaries: binaries)
        defer { bed.down() }
        try bed.up()
        try bed.carrySuperPackets(!mtuSized)
        var samples: [Path: [Traffic: [Sample]]] = [:]
        for round in 1...rounds {
            for path in paths {
                try bed.choose(path)
                for traffic in Traffic.allCases {
                    let (from, to) = bed.ends(path)
                    let sample = try traffic.run(bed, from: from, to: to.space, at: to.address, seconds: seconds)
                    samples[path, default: [:]][traffic, default: []].append(sample)
                    print("round \(round), \(path.rawValue), \(traffic.rawValue): \(sample.summary)")
                }
            }
        }
        let name = mtuSized ? "overlay-mtu" : "overlay"
        try report(samples, name).write(to: results)
        print("\nwritten to \(results)/\(name).{json,md,svg}")
    }

    private func report(_ samples: [Path: [Traffic: [Sample]]], _ name: String) throws -> Report {
        var rows: [Row] = []
        for traffic in Traffic.allCases {
            for path in paths {
                let own = samples[path]?[traffic] ?? []
                rows.append(
                    Row(
                        path: path.rawValue, traffic: traffic.rawValue, reference: path.reference.rawValue,
                        samples: own,
                        references: samples[path.reference]?[traffic] ?? [],
                        vxlan: path.isHostToHost ? [] : samples[.kernelVXLAN]?[traffic] ?? []))
            }
        }
        return Report(
            benchmark: name, machine: try Report.machineLine(),
            command: "cd Benchmarks && swift run -c release overlay-bench" + (mtuSized ? " --mtu-sized" : ""),
            rounds: rounds, secondsPerRun: seconds,
            wire: mtuSized ? "packets of the wire's MTU" : "super-packets whole",
            steal: Spread(samples.values.flatMap { $0.values.flatMap { $0 } }.map(\.steal)), rows: rows)
    }
}
