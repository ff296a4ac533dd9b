package import Addressing
import FoundationEssentials
package import LinuxKit

/// The passive end of a measurement: takes bulk data and says how much came.
package struct MeasureServer: Sendable {
    /// A sender that stops for longer is given up.
    static let stallSeconds = 10

    let overlayAddress: @Sendable () -> IPv4Address?

    /// - Parameter overlayAddress: Where this node is reached over the overlay at present. Asked for each measurement.
    package init(overlayAddress: @escaping @Sendable () -> IPv4Address?) { self.overlayAddress = overlayAddress }

    /// Serves one connection after the other, for ever. Blocks its thread.
    package func run(address: IPv4Address, port: UInt16) throws(SyscallError) {
        let listener = try StreamSocket(listeningOn: address, port: port)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: MeasureClient.bufferBytes, alignment: 4096)
        defer { buffer.deallocate() }
        while true {
            let connection = try listener.accept()
            // What one connection does wrong must not end the service.
            try? serve(connection, buffer)
        }
    }

    private func serve(_ connection: borrowing StreamSocket, _ buffer: UnsafeMutableRawBufferPointer)
        throws(SyscallError)
    {
        connection.setTimeout(seconds: Self.stallSeconds)
        var got = 0
        while got < MeasureProtocol.requestBytes {
            let count = try connection.receive(
                UnsafeMutableRawBufferPointer(rebasing: buffer[got..<MeasureProtocol.requestBytes]))
            guard count > 0 else { return }
            got += count
        }
        guard UInt32(bigEndian: buffer.loadUnaligned(as: UInt32.self)) == MeasureProtocol.magic else { return }
        switch MeasureProtocol.Request(
            rawValue: UInt32(bigEndian: buffer.loadUnaligned(fromByteOffset: 4, as: UInt32.self)))
        {
        case .identify?:
            try answer(
                ServerIdentity(
                    bootIdentifier: FileContents.text("/proc/sys/kernel/random/boot_id") ?? "",
                    overlayAddress: overlayAddress().map { "\($0)" }), connection)
        case .receive?:
            let before = CPUTime.now()
            var bytes = 0
            while case let count = try connection.receive(buffer), count > 0 { bytes += count }
            let after = CPUTime.now()
            try answer(
                ReceiverReport(
                    bytes: bytes, busySeconds: (after?.busySeconds ?? 0) - (before?.busySeconds ?? 0),
                    stolenSeconds: (after?.stolenSeconds ?? 0) - (before?.stolenSeconds ?? 0),
                    totalSeconds: (after?.totalSeconds ?? 0) - (before?.totalSeconds ?? 0)), connection)
        case nil: return
        }
    }

    private func answer(_ value: some Encodable, _ connection: borrowing StreamSocket) throws(SyscallError) {
        let bytes = Array((try? JSONEncoder().encode(value)) ?? Data())
        var sent = 0
        while sent < bytes.count {
            let rest = Array(bytes[sent...])
            var failure: SyscallError?
            var count = 0
            rest.withUnsafeBytes {
                do throws(SyscallError) { count = try connection.send($0) } catch { failure = error }
            }
            if let failure { throw failure }
            sent += count
        }
    }
}
