package import Addressing
import FoundationEssentials
import LinuxKit

/// How much, how long and where to measure.
package struct MeasurePlan: Hashable, Sendable {
    /// The other node's own address.
    package var underlay: IPv4Address
    /// Its address in the overlay; `nil` asks it.
    package var overlay: IPv4Address?
    package var port: UInt16 = 8286
    /// Rounds of each kind; they alternate.
    package var rounds = 3
    /// A round ends after so many seconds …
    package var secondsPerRound = 2.0
    /// … or bytes, whichever comes first.
    package var bytesPerRound = 4 << 30

    package init(underlay: IPv4Address) { self.underlay = underlay }
}

/// Why a measurement came to nothing.
package struct MeasureError: Error, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}

/// The active end of a measurement: sends to a ``MeasureServer``, in turns by the underlay and by the overlay.
package struct MeasureClient: Sendable {
    /// Bytes a call: large enough for the kernel to make super-packets of.
    static let bufferBytes = 256 << 10
    static let timeoutSeconds = 5

    let plan: MeasurePlan

    package init(_ plan: MeasurePlan) { self.plan = plan }

    /// Measures. Blocks its thread for about `2 * rounds * secondsPerRound` seconds.
    ///
    /// - Parameter progress: Told of each round as it ends.
    package func run(progress: (MeasureRound) -> Void = { _ in }) throws(MeasureError) -> MeasureReport {
        let identity: ServerIdentity
        do {
            identity = try ask(.identify, plan.underlay) { (_: borrowing StreamSocket) throws(SyscallError) in }
        } catch {
            throw MeasureError(
                "no measuring node at \(plan.underlay) port \(plan.port): \(error); "
                    + "start `overlayd measure --serve` there")
        }
        guard let overlay = plan.overlay ?? identity.overlayAddress.flatMap({ IPv4Address($0) }) else {
            throw MeasureError("\(plan.underlay) has no overlay address (no lease?); give one with --overlay")
        }
        let own = FileContents.text("/proc/sys/kernel/random/boot_id") ?? ""
        let isOneMachine = own == identity.bootIdentifier
        var rounds: [MeasureRound] = []
        for number in 0..<plan.rounds {
            // In turns, and not always in the same order, so that neither kind has the quieter machine.
            let order: [MeasureRound.Path] = number % 2 == 0 ? [.underlay, .overlay] : [.overlay, .underlay]
            for path in order {
                let round = try measure(path, path == .underlay ? plan.underlay : overlay, isOneMachine)
                progress(round)
                rounds.append(round)
            }
        }
        return MeasureReport(
            underlayAddress: plan.underlay, overlayAddress: overlay, isOneMachine: isOneMachine, rounds: rounds)
    }

    private func measure(_ path: MeasureRound.Path, _ address: IPv4Address, _ isOneMachine: Bool) throws(MeasureError)
        -> MeasureRound
    {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.bufferBytes, alignment: 4096)
        defer { buffer.deallocate() }
        buffer.initializeMemory(as: UInt8.self, repeating: 0x5A)
        let clock = ContinuousClock()
        guard let before = CPUTime.now() else { throw MeasureError("/proc/stat can't be read") }
        let started = clock.now
        let deadline = started + .seconds(plan.secondsPerRound)
        let received: ReceiverReport
        do {
            received = try ask(.receive, address) { (connection: borrowing StreamSocket) throws(SyscallError) in
                var sent = 0
                while sent < plan.bytesPerRound, clock.now < deadline {
                    sent += try connection.send(UnsafeRawBufferPointer(buffer))
                }
            }
        } catch {
            throw MeasureError("the \(path.rawValue) round to \(address) port \(plan.port) failed: \(error)")
        }
        let seconds = started.duration(to: clock.now) / .seconds(1)
        guard let after = CPUTime.now(), received.bytes > 0 else {
            throw MeasureError("nothing arrived at \(address) within \(plan.secondsPerRound) s")
        }
        var busy = after.busySeconds - before.busySeconds
        var stolen = after.stolenSeconds - before.stolenSeconds
        var total = after.totalSeconds - before.totalSeconds
        if !isOneMachine {
            busy += received.busySeconds
            stolen += received.stolenSeconds
            total += received.totalSeconds
        }
        return MeasureRound(
            path: path, bytes: received.bytes, seconds: seconds, busySeconds: busy,
            stolenShare: total > 0 ? stolen / total : 0)
    }

    /// Opens a connection, sends the request and what `body` sends, and reads the answer to the end.
    private func ask<Answer: Decodable>(
        _ request: MeasureProtocol.Request, _ address: IPv4Address,
        _ body: (borrowing StreamSocket) throws(SyscallError) -> Void
    ) throws -> Answer {
        let connection = try StreamSocket(to: address, port: plan.port, timeoutSeconds: Self.timeoutSeconds)
        let head = [MeasureProtocol.magic.bigEndian, request.rawValue.bigEndian]
        try head.withUnsafeBytes { bytes in _ = try connection.send(bytes) }
        try body(connection)
        connection.finishSending()
        var answer: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = try piece.withUnsafeMutableBytes { try connection.receive($0) }
            if count == 0 { break }
            answer += piece[..<count]
        }
        return try JSONDecoder().decode(Answer.self, from: Data(answer))
    }
}
