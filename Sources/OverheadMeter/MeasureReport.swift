package import Addressing
import FoundationEssentials

/// One round: bulk in one direction for some seconds.
package struct MeasureRound: Hashable, Sendable, Codable {
    package enum Path: String, Hashable, Sendable, Codable { case underlay, overlay }

    package var path: Path
    /// As the receiver counted them.
    package var bytes: Int
    package var seconds: Double
    /// Processor time of everything on the machine, or on both if they are two.
    package var busySeconds: Double
    /// The part of all processor time that the hypervisor gave to others, 0...1.
    package var stolenShare: Double

    package var gigabitsPerSecond: Double { Double(bytes) * 8 / seconds / 1e9 }
    package var busySecondsPerGigabyte: Double { busySeconds / (Double(bytes) / 1e9) }

    package init(path: Path, bytes: Int, seconds: Double, busySeconds: Double, stolenShare: Double) {
        self.path = path
        self.bytes = bytes
        self.seconds = seconds
        self.busySeconds = busySeconds
        self.stolenShare = stolenShare
    }
}

/// The middle of some values, and how far they lie apart.
package struct Spread: Hashable, Sendable, Codable {
    package var median: Double
    package var low: Double
    package var high: Double

    /// - Parameter values: Not empty.
    package init(_ values: [Double]) {
        let sorted = values.sorted()
        let middle = sorted.count / 2
        median = sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
        low = sorted[0]
        high = sorted[sorted.count - 1]
    }
}

/// What a measurement found.
package struct MeasureReport: Sendable {
    package var underlayAddress: IPv4Address
    package var overlayAddress: IPv4Address
    /// Whether both nodes share one machine, whose processors then did the work of both.
    package var isOneMachine: Bool
    package var rounds: [MeasureRound]

    /// - Parameter rounds: At least one of each kind.
    package init(underlayAddress: IPv4Address, overlayAddress: IPv4Address, isOneMachine: Bool, rounds: [MeasureRound])
    {
        self.underlayAddress = underlayAddress
        self.overlayAddress = overlayAddress
        self.isOneMachine = isOneMachine
        self.rounds = rounds
    }

    package func gigabitsPerSecond(_ path: MeasureRound.Path) -> Spread {
        Spread(rounds.filter { $0.path == path }.map(\.gigabitsPerSecond))
    }

    package func busySecondsPerGigabyte(_ path: MeasureRound.Path) -> Spread {
        Spread(rounds.filter { $0.path == path }.map(\.busySecondsPerGigabyte))
    }

    /// How much more processor time a byte costs by the overlay, in per cent of the underlay's.
    package var overheadPerCent: Double {
        (busySecondsPerGigabyte(.overlay).median / busySecondsPerGigabyte(.underlay).median - 1) * 100
    }

    /// The overlay's throughput in per cent of the underlay's.
    package var throughputPerCent: Double {
        gigabitsPerSecond(.overlay).median / gigabitsPerSecond(.underlay).median * 100
    }

    /// Processor time taken by other machines on the hardware, in per cent.
    package var stealPerCent: Double { rounds.map(\.stolenShare).reduce(0, +) / Double(rounds.count) * 100 }

    /// A table for a person.
    package var text: String {
        func line(_ name: String, _ path: MeasureRound.Path) -> String {
            let (rate, cost) = (gigabitsPerSecond(path), busySecondsPerGigabyte(path))
            return "\(name)  \(pad(rate.median)) Gb/s (\(fixed(rate.low)) - \(fixed(rate.high)))   "
                + "\(pad(cost.median)) CPU s/GB (\(fixed(cost.low)) - \(fixed(cost.high)))"
        }
        let machines = isOneMachine ? "of the one machine that both nodes share" : "of both machines together"
        return """
            without encapsulation, to \(underlayAddress), and with it, to \(overlayAddress); \(rounds.count / 2) rounds each, median (low - high)
            \(line("without", .underlay))
            \(line("with   ", .overlay))
            overhead: \(fixed(overheadPerCent, 0)) % more CPU per byte, \(fixed(throughputPerCent, 0)) % of the throughput
            CPU seconds are all busy time \(machines); steal meanwhile \(fixed(stealPerCent, 1)) %
            """
    }

    /// The same for programs.
    package var json: String {
        struct Side: Codable {
            var gigabitsPerSecond: Spread
            var cpuSecondsPerGigabyte: Spread
        }
        struct Document: Codable {
            var underlayAddress: String
            var overlayAddress: String
            var oneMachine: Bool
            var without: Side
            var with: Side
            var overheadPercent: Double
            var throughputPercent: Double
            var stealPercent: Double
            var rounds: [MeasureRound]
        }
        func side(_ path: MeasureRound.Path) -> Side {
            Side(gigabitsPerSecond: gigabitsPerSecond(path), cpuSecondsPerGigabyte: busySecondsPerGigabyte(path))
        }
        let document = Document(
            underlayAddress: "\(underlayAddress)", overlayAddress: "\(overlayAddress)", oneMachine: isOneMachine,
            without: side(.underlay), with: side(.overlay), overheadPercent: overheadPerCent,
            throughputPercent: throughputPerCent, stealPercent: stealPerCent, rounds: rounds)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        return ((try? encoder.encode(document)).map { String(decoding: $0, as: UTF8.self) } ?? "{}")
    }

    private func pad(_ value: Double) -> String {
        let text = fixed(value)
        return String(repeating: " ", count: max(0, 6 - text.count)) + text
    }
}

/// `value` with so many decimals.
private func fixed(_ value: Double, _ decimals: Int = 2) -> String {
    guard value.isFinite else { return "-" }
    var scale = 1
    for _ in 0..<decimals { scale *= 10 }
    let units = Int((abs(value) * Double(scale)).rounded())
    let sign = value < 0 && units > 0 ? "-" : ""
    guard decimals > 0 else { return sign + String(units) }
    let rest = String(units % scale)
    return sign + String(units / scale) + "." + String(repeating: "0", count: decimals - rest.count) + rest
}
