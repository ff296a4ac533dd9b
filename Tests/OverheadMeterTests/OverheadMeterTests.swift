import Addressing
import OverheadMeter
import Testing

@Suite struct EncapsulatedPacketTests {
    /// Ethernet, outer IPv4 and UDP, inner IPv4 with ICMP, as a node sent it.
    static let frame: [UInt8] = {
        var inner: [UInt8] = [0x45, 0, 0, 84, 0, 1, 0x40, 0, 63, 1, 0, 0, 10, 244, 1, 2, 10, 244, 2, 3]
        inner += [UInt8](repeating: 0, count: 64)
        let udp: [UInt8] = [0xA0, 0x28, 0x20, 0x5D, 0, UInt8(8 + inner.count), 0, 0]
        let total = 20 + udp.count + inner.count
        let outer: [UInt8] = [0x45, 0, 0, UInt8(total), 0, 0, 0x40, 0, 64, 17, 0, 0, 10, 240, 0, 11, 10, 240, 0, 12]
        return [UInt8](repeating: 2, count: 12) + [8, 0] + outer + udp + inner
    }()

    @Test func addressesOfBothHeadersAreShown() throws {
        let packet = try #require(EncapsulatedPacket(frame: Self.frame, linkHeaderBytes: 14, port: 8285))
        #expect(
            packet.description == "10.240.0.11:41000 > 10.240.0.12:8285 UDP | 10.244.1.2 > 10.244.2.3 ICMP 84 bytes")
        let bare = try #require(
            EncapsulatedPacket(frame: Array(Self.frame.dropFirst(14)), linkHeaderBytes: 0, port: 8285))
        #expect(bare == packet)
    }

    @Test(arguments: [
        (12, 0x86, "not IPv4"), (14, 0x65, "outer version 6"), (14, 0x4F, "outer header longer than the frame"),
        (20, 0x20, "a fragment"), (23, 6, "not UDP"), (36, 0, "another port"), (39, 20, "inner packet cut short"),
        (42, 0x65, "inner version 6"), (42, 0x44, "inner header too short"),
        (44, 0xFF, "inner length beyond the datagram"),
    ])
    func otherFramesAreNone(offset: Int, value: Int, reason: String) {
        var frame = Self.frame
        frame[offset] = UInt8(value)
        #expect(EncapsulatedPacket(frame: frame, linkHeaderBytes: 14, port: 8285) == nil, "\(reason)")
    }

    @Test func noPrefixOfAFrameIsReadBeyondItsEnd() {
        for count in 0..<62 {
            #expect(EncapsulatedPacket(frame: Array(Self.frame.prefix(count)), linkHeaderBytes: 14, port: 8285) == nil)
        }
    }
}

@Suite struct MeasureReportTests {
    @Test func processorTimeIsReadFromTheFirstLine() throws {
        let time = try #require(CPUTime(statLine: "cpu  100 10 50 1000 40 5 15 30 0 0", ticksPerSecond: 100))
        #expect(time.busySeconds == 1.8)
        #expect(time.stolenSeconds == 0.3)
        #expect(time.totalSeconds == 12.5)
        #expect(CPUTime(statLine: "cpu0 1 2 3", ticksPerSecond: 100) == nil)
        #expect(CPUTime(statLine: "", ticksPerSecond: 100) == nil)
    }

    @Test func theMedianIsBetweenTheMiddleOnes() {
        #expect(Spread([3, 1, 2]).median == 2)
        #expect(Spread([4, 1, 3, 2]) == Spread([1, 2, 3, 4]))
        #expect(Spread([4, 1, 3, 2]).median == 2.5)
    }

    @Test func overheadComparesWhatAGigabyteCosts() {
        func round(_ path: MeasureRound.Path, _ gigabytes: Int, _ busy: Double) -> MeasureRound {
            MeasureRound(path: path, bytes: gigabytes * 1_000_000_000, seconds: 2, busySeconds: busy, stolenShare: 0.01)
        }
        let report = MeasureReport(
            underlayAddress: IPv4Address(10, 240, 0, 12), overlayAddress: IPv4Address(10, 244, 2, 0),
            isOneMachine: true,
            rounds: [round(.underlay, 4, 4), round(.overlay, 2, 3)])
        #expect(report.gigabitsPerSecond(.underlay).median == 16)
        #expect(report.overheadPerCent == 50)
        #expect(report.throughputPerCent == 50)
        #expect(report.text.contains("50 % more CPU per byte"))
        #expect(report.json.contains("\"overheadPercent\" : 50"))
    }
}
