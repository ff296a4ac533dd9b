import BenchmarkKit
import Foundation

/// What one run of a kind of traffic showed.
struct Sample: Codable {
    var bitsPerSecond: Double
    var packetsPerSecond: Double
    /// Busy seconds of all processors for each gigabyte that arrived.
    var cpuSecondsPerGigabyte: Double
    /// The share of processor time that the hypervisor took, 0...1.
    var steal: Double
    /// Round trip in microseconds, half of them and 99 in 100 within; 0 where it was not measured.
    var roundTripMedian = 0.0
    var roundTrip99 = 0.0

    /// What ratios are made of: bits or packets per second, or round trips per second.
    var figure: Double {
        if roundTripMedian > 0 { return 1e6 / roundTripMedian }
        return packetsPerSecond > 0 ? packetsPerSecond : bitsPerSecond
    }

    var summary: String {
        if roundTripMedian > 0 { return String(format: "%.0f us, 99 %% within %.0f us", roundTripMedian, roundTrip99) }
        return String(
            format: "%.2f Gb/s, %.0f packets/s, %.2f s/GB", bitsPerSecond / 1e9, packetsPerSecond,
            cpuSecondsPerGigabyte)
    }
}

/// A kind of traffic, made by iperf3 or ping.
enum Traffic: String, CaseIterable {
    case tcp1 = "TCP, 1 stream"
    case tcp4 = "TCP, 4 streams"
    case udp64 = "UDP, 64 bytes"
    case roundTrip = "round trip"

    private func options(seconds: Double) -> String {
        switch self {
        case .tcp1: "-t \(seconds)"
        case .tcp4: "-P 4 -t \(seconds)"
        case .udp64: "-u -b 0 -l 64 -t \(seconds)"
        case .roundTrip: ""
        }
    }

    /// Sends from one namespace to an address in another. Bounded by `seconds`.
    func run(_ bed: TestBed, from client: String, to server: String, at address: String, seconds: Double) throws
        -> Sample
    {
        if self == .roundTrip { return try ping(bed, from: client, at: address) }
        let receiver = try Command.start("\(bed.enter(server)) iperf3 -s -1 -B \(address)", log: "/dev/null")
        defer { if receiver.isRunning { receiver.terminate() } }
        try Command.wait(for: "iperf3") { try bed.within(server, "ss -Hltn sport = 5201").contains("5201") }
        let before = try ProcessorTimes()
        let text = try bed.within(client, "iperf3 -J -c \(address) \(options(seconds: seconds))")
        let used = try ProcessorTimes().since(before)
        let result = try JSONDecoder().decode(Result.self, from: Data(text.utf8)).end
        let bytes: Double
        let packets: Double
        let duration: Double
        if let sum = result.sum, let total = sum.packets, let lost = sum.lost_packets {
            packets = Double(total - lost)
            bytes = packets * 64
            duration = sum.seconds
        } else {
            guard let sum = result.sum_received else { throw CommandError(line: "iperf3", status: 0, output: text) }
            bytes = sum.bytes
            packets = 0
            duration = sum.seconds
        }
        return Sample(
            bitsPerSecond: bytes * 8 / duration, packetsPerSecond: packets / duration,
            cpuSecondsPerGigabyte: used.busy / (bytes / 1e9), steal: used.stealShare)
    }

    private func ping(_ bed: TestBed, from client: String, at address: String) throws -> Sample {
        let text = try bed.within(client, "ping -n -i 0.002 -c 400 \(address)")
        let times = text.split(separator: "\n").compactMap { line -> Double? in
            guard let mark = line.range(of: "time=") else { return nil }
            return line[mark.upperBound...].split(separator: " ").first.flatMap { Double($0) }
        }.sorted()
        guard times.count > 300 else { throw CommandError(line: "ping", status: 0, output: text) }
        return Sample(
            bitsPerSecond: 0, packetsPerSecond: 0, cpuSecondsPerGigabyte: 0, steal: 0,
            roundTripMedian: times[times.count / 2] * 1000, roundTrip99: times[times.count * 99 / 100] * 1000)
    }

    private struct Result: Decodable {
        struct Sum: Decodable {
            var seconds: Double
            var bytes: Double
            var packets: Int?
            var lost_packets: Int?
        }
        struct End: Decodable {
            var sum: Sum?
            var sum_received: Sum?
        }
        var end: End
    }
}

/// Time spent by all processors together, in seconds since boot (proc(5), /proc/stat).
struct ProcessorTimes {
    var busy = 0.0
    var idle = 0.0
    var steal = 0.0

    init() throws {
        let text = try String(contentsOfFile: "/proc/stat", encoding: .utf8)
        let ticks = text.prefix { $0 != "\n" }.split(separator: " ").dropFirst().compactMap { Double($0) }
        guard ticks.count >= 8 else { throw CommandError(line: "/proc/stat", status: -1, output: text) }
        let perSecond = Double(sysconf(Int32(_SC_CLK_TCK)))
        busy = (ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6]) / perSecond
        idle = (ticks[3] + ticks[4]) / perSecond
        steal = ticks[7] / perSecond
    }

    func since(_ earlier: ProcessorTimes) -> (busy: Double, stealShare: Double) {
        let (busy, idle, steal) = (busy - earlier.busy, idle - earlier.idle, steal - earlier.steal)
        return (busy, steal / max(busy + idle + steal, 0.001))
    }
}
