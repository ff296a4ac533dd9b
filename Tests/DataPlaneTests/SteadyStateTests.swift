import CCallCounter
import DataPlane
import DataPlaneTesting
import LinuxKit
import Testing

/// What a batch costs of what it must not cost per packet. Only where the optimizer has been at work.
@Suite(.enabled(if: !isUnoptimized, "an unoptimized build allocates where an optimized one does not"), .serialized)
struct SteadyStateTests {
    private func counts(_ body: () throws -> Void) rethrows -> ccallcounter_counts {
        ccallcounter_begin()
        defer { _ = ccallcounter_end() }
        try body()
        return ccallcounter_end()
    }

    @Test func theCounterCounts() {
        var held: [[Int]] = []
        let counted = counts { for index in 0..<10 { held.append(Array(repeating: index, count: 100 + index)) } }
        #expect(held.count == 10)
        #expect(counted.allocations >= 10)
    }

    /// Small packets, of TCP and UDP, super-packets, ones that are dropped, and ones that are answered.
    private func packets(_ generator: inout SeededGenerator) -> [([UInt8], VirtioNetHeader)] {
        var header = VirtioNetHeader()
        header.flags = VirtioNetHeader.needsChecksum
        header.segmentationType = VirtioNetHeader.tcp4
        header.segmentSize = 1420
        let none = VirtioNetHeader()
        return [
            (PacketFactory(isTCP: false, payload: 64).make(&generator), none),
            (PacketFactory(payload: 1400).make(&generator), none),
            (PacketFactory(isIPv6: true, payload: 1200).make(&generator), none),
            (PacketFactory(payload: 40_000).make(&generator), header),
            (PacketFactory(payload: 10, hopLimit: 1).make(&generator), none),
            (PacketFactory(payload: 10, destination: (99, 9)).make(&generator), none),
        ]
    }

    @Test func theWayOutAllocatesNothingAndCountsNoReferencesPerPacket() throws {
        let harness = try LaneHarness()
        harness.publishTable()
        var generator = SeededGenerator(seed: 1)
        let packets = packets(&generator)
        var lane = OutboundLane()
        var retains: [Int] = []
        for repetitions in [1, 1, 2, 4] {
            for _ in 0..<repetitions { for (packet, header) in packets { try harness.giveDevice(packet, header) } }
            let counted = try counts {
                _ = try lane.moveBatch(
                    from: harness.device, to: harness.senders, mailbox: harness.mailbox, counters: harness.counters)
            }
            _ = try LaneHarness.received(harness.peer)
            _ = try harness.takenFromDevice()
            if !retains.isEmpty { #expect(counted.allocations == 0) }  // the first takes up the table
            retains.append(counted.retains)
        }
        #expect(retains[1] == retains[2] && retains[2] == retains[3], "\(retains)")
    }

    @Test func theWayInAllocatesNothingAndCountsNoReferencesPerPacket() throws {
        let harness = try LaneHarness()
        harness.publishTable()
        var generator = SeededGenerator(seed: 2)
        var datagrams: [[UInt8]] = []
        for (isIPv6, isTCP) in [(false, false), (false, true), (true, false), (true, true)] {
            let factory = PacketFactory(
                isIPv6: isIPv6, isTCP: isTCP, payload: 6_000, source: (2, 3), destination: (1, 2))
            datagrams += PlainReference.segments(of: factory.make(&generator), size: 1000)
            datagrams.append(PacketFactory(payload: 10, source: (9, 9)).make(&generator))
        }
        var lane = InboundLane(joinsDatagrams: true)
        var retains: [Int] = []
        for repetitions in [1, 1, 2, 4] {
            for _ in 0..<repetitions { try harness.send(datagrams, from: harness.peer) }
            let counted = try counts {
                _ = try lane.moveBatch(
                    from: harness.receiver, to: harness.device, mailbox: harness.mailbox, counters: harness.counters)
            }
            _ = try lane.run(harness)
            _ = try harness.takenFromDevice()
            if !retains.isEmpty { #expect(counted.allocations == 0) }
            retains.append(counted.retains)
        }
        #expect(retains[1] == retains[2] && retains[2] == retains[3], "\(retains)")
    }
}

private let isUnoptimized: Bool = {
    var unoptimized = false
    assert(
        {
            unoptimized = true
            return true
        }())
    return unoptimized
}()
