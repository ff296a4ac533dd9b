import ArgumentParser
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

    private enum Path: String, CaseIterable {
        case hostGateway = "pod to pod, no encapsulation"
        case tunnel = "pod to pod, overlayd"
        case bare = "host to host, bare veth"
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
        try bed.encapsulate(false)
        var samples: [Path: [Traffic: [Sample]]] = [:]
        for round in 1...rounds {
            for path in Path.allCases {
                if path != .bare { try bed.encapsulate(path == .tunnel) }
                if path == .tunnel, round == 1 { print("both ways between the pods work") }
                for traffic in Traffic.allCases {
                    let sample = try measure(path, traffic, bed)
                    samples[path, default: [:]][traffic, default: []].append(sample)
                    print(
                        "round \(round), \(traffic.rawValue), \(path.rawValue): \(String(format: "%.2f Gb/s, %.2f s/GB", sample.bitsPerSecond / 1e9, sample.cpuSecondsPerGigabyte))"
                    )
                }
                if path == .tunnel { try bed.encapsulate(false) }
            }
        }
        try report(samples).write(to: results)
        print("\nwritten to \(results)/overlay.{json,md,svg}")
    }

    private func measure(_ path: Path, _ traffic: Traffic, _ bed: TestBed) throws -> Sample {
        let (from, to) = (bed.nodes[0], bed.nodes[1])
        return path == .bare
            ? try traffic.run(bed, from: from.name, to: to.name, at: to.address, seconds: seconds)
            : try traffic.run(bed, from: from.pod, to: to.pod, at: to.podAddress, seconds: seconds)
    }

    private func report(_ samples: [Path: [Traffic: [Sample]]]) throws -> Report {
        var rows: [Row] = []
        for traffic in Traffic.allCases {
            let reference = samples[.hostGateway]?[traffic] ?? []
            for path in Path.allCases {
                let own = samples[path]?[traffic] ?? []
                rows.append(
                    Row(
                        path: path.rawValue, traffic: traffic.rawValue,
                        gigabitsPerSecond: Spread(own.map { $0.bitsPerSecond / 1e9 }),
                        packetsPerSecond: Spread(own.map(\.packetsPerSecond)),
                        cpuSecondsPerGigabyte: Spread(own.map(\.cpuSecondsPerGigabyte)),
                        ratio: Spread(zip(own, reference).map { $0.bitsPerSecond / max($1.bitsPerSecond, 1) }),
                        samples: own))
            }
        }
        return Report(
            benchmark: "overlay", machine: try Report.machineLine(),
            command: "cd Benchmarks && swift run -c release overlay-bench",
            rounds: rounds, secondsPerRun: seconds, reference: Path.hostGateway.rawValue,
            steal: Spread(samples.values.flatMap { $0.values.flatMap { $0 } }.map(\.steal)), rows: rows)
    }
}
