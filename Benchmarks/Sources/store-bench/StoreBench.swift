import ArgumentParser
import Foundation

/// Measures `fjord store` against etcd: durable puts, and watches of one key by many.
///
/// Both servers run on the same file system with every commit synced, one after the other in each round, and get the
/// same bytes from the same client: HTTP/2 written by hand and one thread, so that little of two cores is the client's.
@main
struct StoreBench: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "store-bench")

    @Option(help: "The fjord program to measure.") var fjord: String
    @Option(help: "The etcd program to measure it against.") var etcd = "/usr/bin/etcd"
    @Option(help: "A folder for the servers' data: the file system that is measured.") var data = "/var/tmp"
    @Option(help: "Where the results go; nothing is written without it.") var output: String?
    @Option(help: "Rounds of both servers.") var rounds = 5
    @Option(help: "Seconds of puts in a round.") var seconds = 4.0
    @Option(help: "Connections, each with one put under way.") var clients = 64
    @Option(help: "Watchers of one key, each on a connection of its own.") var watchers = 1000
    @Option(help: "Changes that every watcher gets.") var changes = 200
    @Option(help: "Bytes of a value.") var valueBytes = 256
    @Option(help: "Keys that are written to.") var keys = 10_000
    @Option(help: "Measure only this one: etcd or fjord. For profiling; writes no results.") var only: String?

    func run() throws {
        let kinds = try ServerKind.allCases.filter { only == nil || $0.rawValue == only }
        guard !kinds.isEmpty else { throw ValidationError("--only: expected etcd or fjord") }
        var samples: [Sample] = []
        for round in 1...rounds {
            for kind in kinds {
                let program = kind == .etcd ? etcd : fjord
                let server = try Server(kind, program: program, folder: data)
                defer { server.stop() }
                let puts = try PutWorkload(
                    clients: clients, keys: keys, valueBytes: valueBytes, seconds: seconds
                ).run(against: server)
                let fanOut = try FanOutWorkload(
                    watchers: watchers, changes: changes, valueBytes: valueBytes
                ).run(against: server)
                let sample = Sample(round: round, server: kind.rawValue, puts: puts, fanOut: fanOut)
                print(sample.line)
                samples.append(sample)
            }
        }
        guard only == nil else { return }
        let report = Report(
            machine: try Report.machineLine(),
            command: "store-bench --clients \(clients) --watchers \(watchers) --changes \(changes) "
                + "--value-bytes \(valueBytes) --keys \(keys) --rounds \(rounds) --seconds \(seconds)",
            etcdVersion: try Report.version(of: etcd), samples: samples)
        print(report.table)
        if let output { try report.write(to: output) }
    }
}
